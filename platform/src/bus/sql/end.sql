SELECT published_end() AS place
