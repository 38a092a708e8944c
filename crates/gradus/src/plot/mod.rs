//! Pictures: numbers and names in, a stand-alone SVG out.
//!
//! [`curves`] draws one or more panels of lines side by side, such as loss and accuracy by epoch, or a
//! function and its gradient; [`bars`](bars()) named values, [`histogram`] how values are distributed;
//! [`scatter()`] points in a plane, by cluster or on the [`Regions`] that a model divides it into;
//! [`confusion()`] which class is taken for which; [`images`] pictures with captions, [`gallery()`] with
//! probabilities beside them, [`weights`] what a layer has learned; [`graph()`] what a tensor was
//! computed from, with values and gradients. [`grid()`] puts several of them in one file.
//! [`curves_text`], [`scatter_text`], [`bars_text`], [`histogram_text`] and [`confusion_text`] draw for a
//! terminal.
//!
//! A picture needs nothing outside its own file: no font, no script, no style sheet. It paints its
//! own white card, so it reads the same on light and dark pages, and its colours are those of
//! Okabe and Ito, which people with any kind of colour vision can tell apart. Its title is there for
//! those who cannot see it.
//!
//! With the feature `png`, `png` turns pictures into pixels.

mod axis;
mod bars;
mod confusion;
mod curves;
mod frame;
mod gallery;
mod graph;
mod grid;
mod image;
mod legend;
mod look;
#[cfg(feature = "png")]
mod png;
mod regions;
mod scatter;
mod terminal;

pub use bars::{Bars, Group, Histogram, bars, histogram};
pub use confusion::confusion;
pub use curves::{Panel, Series, curves};
pub use gallery::{Guess, Tile, gallery, images, weights};
pub use graph::graph;
pub use grid::grid;
#[cfg(feature = "png")]
pub use png::png;
pub use regions::Regions;
pub use scatter::{Cloud, scatter};
pub use terminal::{bars_text, confusion_text, curves_text, histogram_text, scatter_text};
