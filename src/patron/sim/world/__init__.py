"""Where and with whom a world is: parameters, places, goods, weather, people and their traces."""
