//! Files shops really have, read into products and stock.
