//! Pictures: numbers and names in, a stand-alone SVG out.
//!
//! [`curves`] draws one or more panels of lines side by side, such as loss and accuracy by epoch;
//! [`scatter()`] points in a plane, by cluster, and [`scatter_text`] the same for a terminal; [`graph()`]
//! what a tensor was computed from, with values and gradients.
//! A picture needs nothing outside its own file: no font, no script, no style sheet. It paints its
//! own white card, so it reads the same on light and dark pages, and its colours are those of
//! Okabe and Ito, which people with any kind of colour vision can tell apart.

mod axis;
mod curves;
mod frame;
mod gallery;
mod graph;
mod legend;
mod look;
mod scatter;
mod terminal;

pub use curves::{Panel, Series, curves};
pub use gallery::{Guess, gallery};
pub use graph::graph;
pub use scatter::{Cloud, scatter};
pub use terminal::scatter_text;
