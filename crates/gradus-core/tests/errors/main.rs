//! Every fallible operation, called wrongly: the kind of the error, that its message names the
//! operation, what it got and the rule or the remedy, and that no tensor was changed.

mod binary;
mod conv;
mod create;
mod gradients;
mod index;
mod inplace;
mod linalg;
mod loss;
mod matmul;
mod pictures;
mod pointwise;
mod random;
mod reduce;
mod shape;

use gradus_core::ops::Update;
use gradus_core::{DType, Float, Kind, Result, Tensor};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

struct Tensors {
    /// [2, 3] f32, and the same as i64 and bool.
    a: Tensor,
    i: Tensor,
    b: Tensor,
    /// [3] f32 and f64, [4] f32.
    v: Tensor,
    d: Tensor,
    w: Tensor,
    /// 0-d.
    s: Tensor,
    /// [2, 0].
    e: Tensor,
    /// [3] f32 leaf that requires a gradient, and its exponential.
    l: Tensor,
    y: Tensor,
}

impl Tensors {
    fn new() -> Result<Self> {
        let a = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let l = Tensor::from([1.0, 2.0, 3.0]).requires_grad_(true)?;
        Ok(Self {
            i: a.to_dtype(DType::I64)?,
            b: a.to_dtype(DType::Bool)?,
            v: Tensor::from([1.0, 2.0, 3.0]),
            d: Tensor::full([3], 1.0, DType::F64)?,
            w: Tensor::ones([4]),
            s: Tensor::from(5.0),
            e: Tensor::zeros([2, 0]),
            y: l.exp()?,
            a,
            l,
        })
    }

    /// Everything that could have been changed: values and gradients.
    fn state(&self) -> Vec<[Option<Vec<f64>>; 2]> {
        let all = [
            &self.a, &self.i, &self.b, &self.v, &self.d, &self.w, &self.s, &self.e, &self.l,
            &self.y,
        ];
        let of = |t: &Tensor| [Some(t), t.grad().as_ref()].map(|t| Some(t?.to_vec().unwrap()));
        all.map(of).into()
    }
}

#[derive(Clone, Copy)]
struct Sgd;
impl<const N: usize> Update<N> for Sgd {
    fn update<T: Float>(&self, p: T, g: T, _: [&mut T; N]) -> T {
        p - g
    }
}

/// The call, the kind of its error, how the message begins, and what else it says.
type Row = (
    fn(&Tensors) -> Result<()>,
    Kind,
    &'static str,
    &'static [&'static str],
);

/// The error of a call that gives something.
fn no<T>(result: Result<T>) -> Result<()> {
    result.map(drop)
}

/// What a dimension that is out of range is answered.
const RANGE: &[&str] = &["Dimension out of range (expected to be in range of [-2, 1], but got 2)"];
/// What shapes that do not broadcast are answered.
const BROADCAST: &[&str] = &[
    "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
    "[2, 3] and [4]",
];

/// One file a family of operations.
const TABLES: &[&[Row]] = &[
    create::TABLE,
    random::TABLE,
    binary::TABLE,
    pointwise::TABLE,
    shape::TABLE,
    index::TABLE,
    reduce::TABLE,
    matmul::TABLE,
    linalg::TABLE,
    loss::TABLE,
    conv::TABLE,
    pictures::TABLE,
    inplace::TABLE,
    gradients::TABLE,
];

#[test]
fn wrong_calls_say_what_is_wrong_and_change_nothing() {
    let tensors = Tensors::new().unwrap();
    let before = tensors.state();
    for (call, kind, op, says) in TABLES.iter().flat_map(|table| *table) {
        let error = match call(&tensors) {
            Ok(()) => panic!("{op}, which should say {says:?}, is accepted"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), *kind, "{error:?}");
        let message = error.to_string();
        let rest = message.strip_prefix(op);
        assert!(
            rest.is_some_and(|rest| rest.starts_with([':', ' '])),
            "'{message}' does not begin with {op}"
        );
        for text in *says {
            assert!(message.contains(text), "'{message}' does not say '{text}'");
        }
        assert!(
            !message.contains('\n') && !message.contains("  "),
            "{message}"
        );
        assert_eq!(tensors.state(), before, "{op} has changed a tensor");
    }
}

#[test]
fn operators_panic_with_the_message_at_the_line_of_the_caller() {
    static PLACES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        let file = info.location().map_or("", |place| place.file()).to_string();
        PLACES.lock().unwrap().push((file, info.to_string()));
    }));
    let (a, b) = (Tensor::ones([2]), Tensor::ones([3]));
    let t = || Tensor::ones([2]);
    let calls: [&dyn Fn() -> Tensor; 7] = [
        &|| &a + &b,
        &|| &a - b.clone(),
        &|| t() * &b,
        &|| t() / b.clone(),
        &|| -Tensor::from([true]),
        &|| Tensor::zeros([usize::MAX, 2]),
        &|| Tensor::ones([usize::MAX, 2]),
    ];
    for call in calls {
        assert!(std::panic::catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    std::panic::set_hook(before);
    // Another test of this file may have failed meanwhile: look only at what is expected.
    let places = PLACES.lock().unwrap();
    let words = [
        "add: ",
        "sub: ",
        "mul: ",
        "div: ",
        "neg: ",
        "too large",
        "too large",
    ];
    for word in words {
        let found = places.iter().find(|(_, message)| message.contains(word));
        let (file, message) = found.unwrap_or_else(|| panic!("no panic says '{word}': {places:?}"));
        assert!(
            file.ends_with("errors/main.rs"),
            "'{message}' is laid to {file}"
        );
    }
    assert!(
        places
            .iter()
            .all(|(file, _)| file.ends_with("errors/main.rs")),
        "{places:?}"
    );
}
