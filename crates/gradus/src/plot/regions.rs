//! What a model takes every place of the plane for: the coloured background of points.

use super::axis::{Axis, drawable};
use crate::data::Picture;
use gradus_core::{Error, Kind, Result};

/// Classes on a grid of cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regions {
    /// Where the grid begins and ends, to the right.
    pub x: [f64; 2],
    /// Where it begins and ends, upwards.
    pub y: [f64; 2],
    /// Cells of a row.
    pub columns: usize,
    /// The class of each cell, row by row, the uppermost row first; negative is none.
    pub labels: Vec<i64>,
}

impl Regions {
    /// The regions around the points, on a grid of `resolution` by `resolution` cells (200 are
    /// fine enough for a picture): `classify` is given the middles of all cells at once and says
    /// the class of each.
    ///
    /// # Errors
    /// Those of `classify`; [`Kind::Value`] if its classes are not as many as the cells, or for a
    /// resolution that is not 1 to 2,000.
    ///
    /// ```
    /// use gradus::plot::{Cloud, Regions, scatter};
    /// let points = vec![(0.0, 0.0), (1.0, 1.0)];
    /// let above = |cells: &[(f64, f64)]| Ok(cells.iter().map(|(x, y)| i64::from(x + y > 1.0)).collect());
    /// let regions = Regions::around(&points, 200, above)?;
    /// let svg = scatter(&[Cloud {
    ///     title: "a straight border".into(),
    ///     labels: vec![0, 1],
    ///     points,
    ///     names: vec!["below".into(), "above".into()],
    ///     regions: Some(regions),
    ///     ..Cloud::default()
    /// }]);
    /// assert!(svg.contains("<image"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn around(
        points: &[(f64, f64)],
        resolution: usize,
        classify: impl FnOnce(&[(f64, f64)]) -> Result<Vec<i64>>,
    ) -> Result<Self> {
        if !(1..=2000).contains(&resolution) {
            let message =
                format!("regions: a resolution of {resolution}; expected 1 to 2000 cells");
            return Err(Error::new(Kind::Value, message));
        }
        let points = points.iter().filter(|p| drawable(p));
        let x = Axis::new(points.clone().map(|p| p.0), 1, false);
        let y = Axis::new(points.map(|p| p.1), 1, false);
        let middle = |axis: &Axis, i: usize| {
            axis.low + (axis.high - axis.low) * (i as f64 + 0.5) / resolution as f64
        };
        let row = |i| (0..resolution).map(move |j| (j, resolution - 1 - i));
        let cells: Vec<_> = (0..resolution)
            .flat_map(row)
            .map(|(j, i)| (middle(&x, j), middle(&y, i)))
            .collect();
        let labels = classify(&cells)?;
        if labels.len() != cells.len() {
            let message = format!(
                "regions: {} classes for {} places; expected one for each",
                labels.len(),
                cells.len()
            );
            return Err(Error::new(Kind::Value, message));
        }
        Ok(Self {
            x: [x.low, x.high],
            y: [y.low, y.high],
            columns: resolution,
            labels,
        })
    }

    /// The axes, with about so many marks, if the grid has a place.
    pub(super) fn axes(&self, marks: [usize; 2]) -> Option<[Axis; 2]> {
        let [x, y] = [self.x, self.y];
        let fine = drawable(&(x[0], y[0])) && drawable(&(x[1], y[1])) && x[0] < x[1] && y[0] < y[1];
        fine.then(|| {
            [
                Axis::between(x[0], x[1], marks[0], false),
                Axis::between(y[0], y[1], marks[1], false),
            ]
        })
    }

    /// A pixel for each cell, in the light tints of these colours.
    pub(super) fn picture(&self, colours: &[[u8; 3]]) -> Option<Picture> {
        let rows = self
            .labels
            .len()
            .checked_div(self.columns)
            .filter(|&rows| rows > 0)?;
        let tint = |&label: &i64| match usize::try_from(label) {
            Ok(label) => colours[label % colours.len()].map(|c| 255 - (255 - c) / 4),
            Err(_) => [255; 3],
        };
        let cells = self.labels.iter().take(rows * self.columns);
        let bytes = cells.flat_map(tint).collect();
        Some(Picture {
            height: rows,
            width: self.columns,
            channels: 3,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A background that is upside down or mirrored.
    #[test]
    fn the_first_cell_is_the_upper_left_one() {
        let classify = |cells: &[(f64, f64)]| {
            assert_eq!(cells.len(), 4);
            assert!(
                cells[0].0 < cells[1].0 && cells[0].1 > cells[2].1,
                "{cells:?}"
            );
            Ok(vec![0, 1, -1, 9])
        };
        let regions = Regions::around(&[(0.0, 0.0), (1.0, 1.0)], 2, classify).unwrap();
        assert!(regions.x[0] < 0.0 && regions.y[1] > 1.0);
        let picture = regions.picture(&[[0, 0, 0], [255, 0, 255]]).unwrap();
        assert_eq!(
            picture.bytes,
            [192, 192, 192, 255, 192, 255, 255, 255, 255, 255, 192, 255]
        );
    }

    #[test]
    fn mistakes_are_errors() {
        let few = |_: &[(f64, f64)]| Ok(vec![0]);
        assert!(Regions::around(&[], 2, few).is_err());
        assert!(Regions::around(&[], 0, few).is_err());
        assert!(Regions::around(&[], 1, few).is_ok());
        assert!(Regions::default().picture(&[[0; 3]]).is_none());
        assert!(Regions::default().axes([1, 1]).is_none());
    }
}
