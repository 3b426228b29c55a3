//! Each sink against a real receiver that knows the rules: what is sent, what answers come to, what is never shown, and whom
//! nobody reaches by accident.

mod answers;
mod command;
mod mail;
mod payloads;
mod receivers;
