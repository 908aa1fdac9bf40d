//! Made run folders, and what is shown of them.

mod folders;
mod screens;
mod states;
