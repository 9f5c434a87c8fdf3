"""What is asked of a sample of people: reach, weeks gone by, overlap, values, names that were seen, people tried."""
