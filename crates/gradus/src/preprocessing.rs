//! Columns brought to one scale, for what compares them: scikit-learn's scalers.
//!
//! A scaler learns from some rows (`fit`) and brings these and others to its scale (`transform`), so
//! that nothing is learned from rows that a model is tested on. Statistics are computed in f64; results
//! have the dtype of what is transformed.
//!
//! Whoever uses a model needs the scalers that its rows went through. By serde they become a part of
//! any settings file, and come back with the same bits; figures that are no scaler are refused.

use gradus_core::{DType, Error, Kind, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Columns less their mean, divided by their standard deviation, which is that of the population. A
/// constant column becomes 0.
///
/// ```
/// use gradus::{Tensor, preprocessing::StandardScaler};
/// let x = Tensor::from([[1.0, 7.0], [3.0, 7.0]]);
/// let scaler = StandardScaler::fit(&x)?;
/// let z = scaler.transform(&x)?;
/// assert_eq!(z.to_vec::<f32>()?, [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(scaler.inverse_transform(&z)?.to_vec::<f32>()?, [1.0, 7.0, 3.0, 7.0]);
/// assert_eq!(scaler.constant(), [1]);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// Saved, it has the names of scikit-learn's attributes:
///
/// ```
/// use gradus::{Tensor, preprocessing::StandardScaler};
/// let scaler = StandardScaler::fit(&Tensor::from([[1.0, 7.0], [3.0, 7.0]]))?;
/// let text = serde_json::to_string(&scaler)?;
/// assert_eq!(text, r#"{"mean":[2.0,7.0],"scale":[1.0,1.0],"constant":[1]}"#);
/// assert_eq!(serde_json::from_str::<StandardScaler>(&text)?, scaler);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Moments", try_from = "Moments")]
pub struct StandardScaler(Scale);

/// What is saved of a [`StandardScaler`].
#[derive(Serialize, Deserialize)]
struct Moments {
    mean: Vec<f64>,
    scale: Vec<f64>,
    constant: Vec<usize>,
}

impl StandardScaler {
    /// Learns the mean and the standard deviation of each column of `x`, floats of shape
    /// [rows, columns].
    ///
    /// # Errors
    /// If `x` is no such matrix or has no rows; if it holds numbers that are not finite, or so large
    /// that their squares are not. Messages name the place.
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::StandardScaler};
    /// let error = StandardScaler::fit(&Tensor::from([[1.0, f64::NAN]])).unwrap_err();
    /// assert!(error.to_string().contains("row 0, column 1"), "{error}");
    /// ```
    pub fn fit(x: &Tensor) -> Result<Self> {
        let name = "StandardScaler";
        let x = matrix(name, x)?;
        let n = x.shape()[0] as f64;
        let mut center = x.mean(0)?.to_vec::<f64>()?;
        let mut scale = x.var_with(0, 0)?.to_vec::<f64>()?;
        let first = x.select(0, 0)?.to_vec::<f64>()?;
        let mut constant = Vec::new();
        for (j, variance) in scale.iter_mut().enumerate() {
            if !variance.is_finite() {
                return Err(too_large(name, j));
            }
            // What rounding leaves is no variance: the bound of Chan, Golub and LeVeque that
            // scikit-learn uses.
            let rounding = n * f64::EPSILON;
            if *variance <= rounding * *variance + (rounding * center[j]).powi(2) {
                constant.push(j);
                (center[j], *variance) = (first[j], 1.0);
            }
            *variance = variance.sqrt();
        }
        Ok(Self(Scale {
            name,
            center,
            scale,
            constant,
        }))
    }

    /// The columns of `x` on this scale.
    ///
    /// # Errors
    /// If `x` is no matrix of floats with as many columns as there were, or holds NaN or infinity.
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::StandardScaler};
    /// let scaler = StandardScaler::fit(&Tensor::from([[1.0], [3.0]]))?;
    /// assert_eq!(scaler.transform(&Tensor::from([[4.0]]))?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn transform(&self, x: &Tensor) -> Result<Tensor> {
        self.0.transform(x)
    }

    /// The columns that would be `z` on this scale.
    ///
    /// # Errors
    /// As [`transform`](Self::transform).
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::StandardScaler};
    /// let scaler = StandardScaler::fit(&Tensor::from([[1.0], [3.0]]))?;
    /// assert_eq!(scaler.inverse_transform(&Tensor::from([[2.0]]))?.item::<f32>()?, 4.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn inverse_transform(&self, z: &Tensor) -> Result<Tensor> {
        self.0.inverse_transform(z)
    }

    /// The mean of each column.
    pub fn mean(&self) -> &[f64] {
        &self.0.center
    }

    /// The standard deviation of each column; 1 of a constant one.
    pub fn scale(&self) -> &[f64] {
        &self.0.scale
    }

    /// The numbers of the columns without variance, counted from 0.
    pub fn constant(&self) -> &[usize] {
        &self.0.constant
    }
}

impl From<StandardScaler> for Moments {
    fn from(StandardScaler(columns): StandardScaler) -> Self {
        Self {
            mean: columns.center,
            scale: columns.scale,
            constant: columns.constant,
        }
    }
}

impl TryFrom<Moments> for StandardScaler {
    type Error = Error;

    fn try_from(saved: Moments) -> Result<Self> {
        let (mean, scale) = (saved.mean, saved.scale);
        let numbers =
            (mean.iter().zip(&scale)).all(|(m, s)| m.is_finite() && s.is_finite() && *s > 0.0);
        if mean.len() != scale.len() || !numbers || saved.constant.iter().any(|&j| j >= mean.len())
        {
            let message = "StandardScaler: expected a finite mean and a scale above 0 for each column, \
                           and the numbers of constant ones";
            return Err(Error::new(Kind::Data, message));
        }
        Ok(Self(Scale {
            name: "StandardScaler",
            center: mean,
            scale,
            constant: saved.constant,
        }))
    }
}

const MIN_MAX: &str = "MinMaxScaler";

/// Columns moved and stretched so that their smallest and largest numbers become those of a range. A
/// constant column becomes the start of the range.
///
/// ```
/// use gradus::{Tensor, preprocessing::MinMaxScaler};
/// let x = Tensor::from([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]]);
/// let scaler = MinMaxScaler::fit(&x, 0.0..=1.0)?;
/// let z = scaler.transform(&x)?;
/// assert_eq!(z.to_vec::<f32>()?, [0.0, 0.0, 0.25, 0.0, 1.0, 0.0]);
/// assert_eq!(scaler.inverse_transform(&z)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// Saved, it is what it was made of:
///
/// ```
/// use gradus::{Tensor, preprocessing::MinMaxScaler};
/// let scaler = MinMaxScaler::fit(&Tensor::from([[1.0], [5.0]]), 0.0..=1.0)?;
/// let text = serde_json::to_string(&scaler)?;
/// assert_eq!(text, r#"{"range":[0.0,1.0],"min":[1.0],"max":[5.0]}"#);
/// assert_eq!(serde_json::from_str::<MinMaxScaler>(&text)?, scaler);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Extremes", try_from = "Extremes")]
pub struct MinMaxScaler {
    scale: Scale,
    extremes: Extremes,
}

/// All that a [`MinMaxScaler`] follows from, and what is saved of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Extremes {
    range: [f64; 2],
    min: Vec<f64>,
    max: Vec<f64>,
}

impl MinMaxScaler {
    /// Learns the smallest and the largest number of each column of `x`, floats of shape
    /// [rows, columns], which are to become the ends of `range`.
    ///
    /// # Errors
    /// As [`StandardScaler::fit`]; if the range is empty or not finite.
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::MinMaxScaler};
    /// let x = Tensor::from([[2.0], [4.0]]);
    /// assert_eq!(MinMaxScaler::fit(&x, -1.0..=1.0)?.transform(&x)?.to_vec::<f32>()?, [-1.0, 1.0]);
    /// assert!(MinMaxScaler::fit(&x, 1.0..=1.0).is_err());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit(x: &Tensor, range: RangeInclusive<f64>) -> Result<Self> {
        let (low, high) = range.into_inner();
        let x = matrix(MIN_MAX, x)?;
        Self::try_from(Extremes {
            range: [low, high],
            min: x.amin(0)?.to_vec::<f64>()?,
            max: x.amax(0)?.to_vec::<f64>()?,
        })
    }

    /// The columns of `x` on this scale; outside of the range where numbers are outside of those that
    /// were seen.
    ///
    /// # Errors
    /// As [`StandardScaler::transform`].
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::MinMaxScaler};
    /// let scaler = MinMaxScaler::fit(&Tensor::from([[2.0], [4.0]]), 0.0..=1.0)?;
    /// assert_eq!(scaler.transform(&Tensor::from([[6.0]]))?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn transform(&self, x: &Tensor) -> Result<Tensor> {
        self.scale.transform(x)
    }

    /// The columns that would be `z` on this scale.
    ///
    /// # Errors
    /// As [`StandardScaler::transform`].
    ///
    /// ```
    /// # use gradus::{Tensor, preprocessing::MinMaxScaler};
    /// let scaler = MinMaxScaler::fit(&Tensor::from([[2.0], [4.0]]), 0.0..=1.0)?;
    /// assert_eq!(scaler.inverse_transform(&Tensor::from([[0.5]]))?.item::<f32>()?, 3.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn inverse_transform(&self, z: &Tensor) -> Result<Tensor> {
        self.scale.inverse_transform(z)
    }

    /// The smallest number of each column.
    pub fn data_min(&self) -> &[f64] {
        &self.extremes.min
    }

    /// The largest number of each column.
    pub fn data_max(&self) -> &[f64] {
        &self.extremes.max
    }

    /// The numbers of the columns whose numbers are all equal, counted from 0.
    pub fn constant(&self) -> &[usize] {
        &self.scale.constant
    }
}

impl From<MinMaxScaler> for Extremes {
    fn from(scaler: MinMaxScaler) -> Self {
        scaler.extremes
    }
}

impl TryFrom<Extremes> for MinMaxScaler {
    type Error = Error;

    fn try_from(extremes: Extremes) -> Result<Self> {
        let Extremes { range, min, max } = &extremes;
        let [low, high] = *range;
        if !(low < high && (high - low).is_finite()) {
            let message = format!(
                "{MIN_MAX}: expected a range from a number to a larger one, got {low} to {high}"
            );
            return Err(Error::new(Kind::Value, message));
        }
        let ordered = min.iter().zip(max).all(|(min, max)| min <= max);
        if min.len() != max.len() || !ordered {
            let message = format!(
                "{MIN_MAX}: expected a smallest number and a largest one, not less, for each column"
            );
            return Err(Error::new(Kind::Data, message));
        }
        let (mut center, mut scale, mut constant) = (Vec::new(), Vec::new(), Vec::new());
        for (j, (min, max)) in min.iter().zip(max).enumerate() {
            let width = max - min;
            if !width.is_finite() {
                return Err(too_large(MIN_MAX, j));
            }
            // What differs by rounding only is not stretched.
            let same = width <= 10.0 * f64::EPSILON * f64::max(min.abs(), max.abs());
            if same {
                constant.push(j);
            }
            let s = if same { 1.0 } else { width / (high - low) };
            center.push(min - low * s);
            scale.push(s);
        }
        let scale = Scale {
            name: MIN_MAX,
            center,
            scale,
            constant,
        };
        Ok(Self { scale, extremes })
    }
}

/// z = (x − center) / scale, column by column.
#[derive(Clone, Debug, PartialEq)]
struct Scale {
    /// Of the scaler, for messages.
    name: &'static str,
    center: Vec<f64>,
    scale: Vec<f64>,
    constant: Vec<usize>,
}

impl Scale {
    fn transform(&self, x: &Tensor) -> Result<Tensor> {
        let [wide, center, scale] = self.columns(x)?;
        wide.sub(&center)?.div(&scale)?.to_dtype(x.dtype())
    }

    fn inverse_transform(&self, z: &Tensor) -> Result<Tensor> {
        let [wide, center, scale] = self.columns(z)?;
        wide.mul(&scale)?.add(&center)?.to_dtype(z.dtype())
    }

    /// `x` in f64, and what is computed with.
    fn columns(&self, x: &Tensor) -> Result<[Tensor; 3]> {
        let wide = matrix(self.name, x)?;
        let (d, given) = (self.center.len(), x.shape()[1]);
        if d != given {
            let message = format!(
                "{}: fitted to {d} columns, got {given}; give the columns that it was fitted to",
                self.name
            );
            return Err(Error::new(Kind::Shape, message));
        }
        let row = |list: &Vec<f64>| Tensor::from_vec(list, [d]);
        Ok([wide, row(&self.center)?, row(&self.scale)?])
    }
}

/// `x` in f64, if it is a matrix of finite numbers with a row or more.
fn matrix(name: &str, x: &Tensor) -> Result<Tensor> {
    if x.ndim() != 2 || x.shape()[0] == 0 {
        let message = format!(
            "{name}: expected a matrix with a row for each sample, at least one, got shape {:?}",
            x.shape()
        );
        return Err(Error::new(Kind::Shape, message));
    }
    if !x.dtype().is_float() {
        let message = format!(
            "{name}: expected f32 or f64, got {}; convert it by to_dtype",
            x.dtype()
        );
        return Err(Error::new(Kind::DType, message));
    }
    let x = x.detach().to_dtype(DType::F64)?;
    let numbers = x.to_vec::<f64>()?;
    if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
        let d = x.shape()[1];
        let message = format!(
            "{name}: row {}, column {} (counted from 0) holds {}, which is no finite number; remove or \
             replace it",
            at / d,
            at % d,
            numbers[at]
        );
        return Err(Error::new(Kind::Value, message));
    }
    Ok(x)
}

fn too_large(name: &str, column: usize) -> Error {
    let message = format!(
        "{name}: the numbers of column {column} (counted from 0) are so large that what is computed from \
         them is not finite; divide them first"
    );
    Error::new(Kind::Value, message)
}
