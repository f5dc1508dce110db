//! The event bus over a real Apache Kafka, which these tests fetch and start themselves (scripts/kafka.sh). Where there
//! is no Java they say SKIPPED.

mod broker;
mod laws;
mod publishing;
mod relay;
mod three_nodes;
