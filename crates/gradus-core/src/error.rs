//! One error type, one message style: what was asked, what was found, the rule, the remedy.

use std::fmt;

/// The result of every fallible operation of the engine.
///
/// ```
/// fn half(x: &gradus_core::Tensor) -> gradus_core::Result<gradus_core::Tensor> {
///     x.mul(0.5)
/// }
/// assert!(half(&gradus_core::Tensor::ones([2])).is_ok());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of mistake an [`Error`] reports; a caller can act on it without reading the text.
///
/// ```
/// use gradus_core::{Kind, Tensor};
/// assert_eq!(Tensor::ones([2]).sum(1).unwrap_err().kind(), Kind::Index);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Shapes, ranks or sizes that do not fit together.
    Shape,
    /// A dtype the operation does not take.
    DType,
    /// A dimension or an index out of range.
    Index,
    /// Any other argument outside its range.
    Value,
    /// A request the gradient engine cannot meet.
    Autograd,
    /// Memory that the system would not give.
    Memory,
    /// A file that could not be read or written.
    Io,
    /// A file or a record whose content is not what it claims to be.
    Data,
}

/// An error with its [`Kind`] and a message for people.
///
/// ```
/// use gradus_core::{Kind, Tensor};
/// let a = Tensor::zeros([2, 2]);
/// let error = a.add(&Tensor::zeros([3])).unwrap_err();
/// assert_eq!(error.kind(), Kind::Shape);
/// assert!(error.to_string().contains("non-singleton dimension 1"));
/// ```
#[derive(Clone)]
pub struct Error(Box<(Kind, String)>);

impl Error {
    /// An error of this kind with this message.
    ///
    /// ```
    /// # use gradus_core::{Error, Kind};
    /// assert_eq!(Error::new(Kind::Value, "lr must be positive").to_string(), "lr must be positive");
    /// ```
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new((kind, message.into())))
    }

    /// The sort of mistake.
    ///
    /// ```
    /// # use gradus_core::{Error, Kind};
    /// assert_eq!(Error::new(Kind::Value, "lr must be positive").kind(), Kind::Value);
    /// ```
    pub fn kind(&self) -> Kind {
        self.0.0
    }

    /// The same error with `place` in front of its message, e.g. the path of a module or a file.
    ///
    /// ```
    /// # use gradus_core::{Error, Kind};
    /// let error = Error::new(Kind::Shape, "got 3 features").at("net.0");
    /// assert_eq!(error.to_string(), "net.0: got 3 features");
    /// ```
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.1 = format!("{place}: {}", self.0.1);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.0, self.0.1)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Self::new(Kind::Io, e.to_string())
    }
}

/// Builds an [`Error`] like `format!`: `err!(Shape, "got {n} features")`.
macro_rules! err {
    ($kind:ident, $($message:tt)+) => {
        $crate::error::Error::new($crate::error::Kind::$kind, format!($($message)+))
    };
}
pub(crate) use err;
