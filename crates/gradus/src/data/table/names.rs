//! The names of columns, each found at once: tables of one-hot columns have thousands.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

/// Names in order, no two the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Names {
    list: Arc<[String]>,
    places: Arc<HashMap<String, usize>>,
}

impl Names {
    /// Where this name is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl From<Vec<String>> for Names {
    fn from(list: Vec<String>) -> Self {
        let places = list.iter().cloned().zip(0..).collect();
        Self {
            list: list.into(),
            places: Arc::new(places),
        }
    }
}

impl Deref for Names {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.list
    }
}
