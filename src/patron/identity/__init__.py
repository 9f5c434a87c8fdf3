"""Who is who: identifiers normalised, evidence kept, people as an order-free function of that evidence."""
