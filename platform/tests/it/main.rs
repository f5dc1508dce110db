//! The platform's parts as their users meet them: real sockets, real files.

mod tls;
