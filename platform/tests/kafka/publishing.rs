//! What is published, and where it lands.
