//! Every fallible operation, called wrongly: the kind of the error, that its message names the
//! operation, what it got and the rule or the remedy, and that no tensor was changed.

use gradus_core::ops::Update;
use gradus_core::{DType, Float, Kind, Result, Tensor, Tolerance, gradcheck};
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

#[rustfmt::skip] // One row a line.
const TABLE: &[Row] = {
    use Kind::{Autograd, DType as Type, Index, Memory, Shape, Value};
    &[
        // Making tensors.
        (|_| no(Tensor::full([usize::MAX, 2], 0.0, DType::F32)), Memory, "a tensor of shape", &["too large"]),
        (|_| no(Tensor::from_vec([1.0f32, 2.0], [3])), Shape, "from_vec", &["shape '[3]' is invalid for input of size 2"]),
        (|_| no(Tensor::arange(0.0, 5.0, -1.0, DType::F32)), Value, "arange", &["step sign", "start 0, end 5, step -1"]),
        (|_| no(Tensor::arange(0.0, 5.0, 0.0, DType::F32)), Value, "arange", &["step 0"]),
        (|_| no(Tensor::arange(0.0, f64::NAN, 1.0, DType::F32)), Value, "arange", &["NaN"]),
        (|_| no(Tensor::arange(0.0, 2.0, 1.0, DType::Bool)), Type, "arange", &["bool"]),
        (|_| no(Tensor::linspace(0.0, 1.0, 3, DType::Bool)), Type, "linspace", &["bool"]),
        (|_| no(Tensor::eye(usize::MAX, DType::F32)), Memory, "a tensor of shape", &["too large"]),
        (|_| no(Tensor::randn([usize::MAX, 2])), Memory, "a tensor of shape", &["too large"]),
        (|_| no(Tensor::randperm(usize::MAX)), Memory, "a tensor of shape", &["too large"]),
        // Asking them.
        (|t| no(t.a.size(2)), Index, "size", RANGE),
        (|t| no(t.s.size(0)), Index, "size", &["0-d tensor has no dimension 0"]),
        (|t| no(t.a.item::<f32>()), Value, "item", &["a Tensor with 6 elements cannot be converted to Scalar", "to_vec"]),
        // Two operands.
        (|t| no(t.a.add(&t.w)), Shape, "add", BROADCAST),
        (|t| no(t.a.sub(&t.w)), Shape, "sub", BROADCAST),
        (|t| no(t.a.mul(&t.w)), Shape, "mul", BROADCAST),
        (|t| no(t.a.div(&t.w)), Shape, "div", BROADCAST),
        (|t| no(t.a.pow(&t.w)), Shape, "pow", BROADCAST),
        (|t| no(t.a.eq(&t.w)), Shape, "eq", BROADCAST),
        (|t| no(t.a.ne(&t.w)), Shape, "ne", BROADCAST),
        (|t| no(t.a.lt(&t.w)), Shape, "lt", BROADCAST),
        (|t| no(t.a.le(&t.w)), Shape, "le", BROADCAST),
        (|t| no(t.a.gt(&t.w)), Shape, "gt", BROADCAST),
        (|t| no(t.a.ge(&t.w)), Shape, "ge", BROADCAST),
        (|t| no(t.b.sub(&t.b)), Type, "sub", &["two bool tensors is not supported", "to_dtype"]),
        // One.
        (|t| no(t.b.neg()), Type, "neg", &["on a bool tensor is not supported", "to_dtype"]),
        (|t| no(t.b.abs()), Type, "abs", &["bool", "to_dtype"]),
        (|t| no(t.b.relu()), Type, "relu", &["bool", "to_dtype"]),
        // Shapes.
        (|t| no(t.a.reshape([4])), Shape, "reshape", &["shape '[4]' is invalid for input of size 6"]),
        (|t| no(t.a.reshape([4, -1])), Shape, "reshape", &["shape '[4, -1]' is invalid for input of size 6"]),
        (|t| no(t.a.reshape([-2, 3])), Shape, "reshape", &["shape '[-2, 3]' is invalid for input of size 6"]),
        (|t| no(t.a.reshape([-1, -1])), Shape, "reshape", &["only one dimension can be inferred"]),
        (|t| no(t.e.reshape([-1, 0])), Shape, "reshape", &["cannot reshape tensor of 0 elements", "ambiguous"]),
        (|t| no(t.a.reshape(&[7][..])), Shape, "reshape", &["shape '[7]' is invalid for input of size 6"]),
        (|t| no(t.a.flatten(0, 2)), Index, "flatten", RANGE),
        (|t| no(t.a.flatten(1, 0)), Index, "flatten", &["start_dim 1 cannot come after end_dim 0"]),
        (|t| no(t.a.unsqueeze(3)), Index, "unsqueeze", &["in range of [-3, 2], but got 3"]),
        (|t| no(t.a.squeeze(2)), Index, "squeeze", RANGE),
        (|t| no(t.a.transpose(0, 2)), Index, "transpose", RANGE),
        (|t| no(t.a.unsqueeze(0)?.t()), Shape, "t", &["<= 2 dimensions, but self is 3D", "transpose"]),
        (|t| no(t.a.permute([0, 2])), Index, "permute", RANGE),
        (|t| no(t.a.permute([0, 0])), Shape, "permute", &["[0, 0]", "each of the 2 dimensions", "once"]),
        (|t| no(t.a.permute([0])), Shape, "permute", &["[0]", "each of the 2 dimensions"]),
        (|t| no(t.a.broadcast_to([2, 4])), Shape, "broadcast_to", &["[2, 3] cannot be broadcast to [2, 4]", "equal or 1"]),
        (|t| no(t.a.broadcast_to([3])), Shape, "broadcast_to", &["[2, 3] cannot be broadcast to [3]"]),
        (|_| no(Tensor::cat(&[], 0)), Value, "cat", &["expected a non-empty list of Tensors"]),
        (|t| no(Tensor::cat(&[&t.s], 0)), Shape, "cat", &["zero-dimensional tensors cannot be concatenated", "stack"]),
        (|t| no(Tensor::cat(&[&t.a, &t.a], 2)), Index, "cat", RANGE),
        (|t| no(Tensor::cat(&[&t.v, &t.a], 0)), Shape, "cat", &["Sizes of tensors must match except in dimension 0", "[3]", "[2, 3]"]),
        (|t| no(Tensor::cat(&[&t.a, &t.i], 0)), Type, "cat", &["tensor 0 is float32 and tensor 1 is int64", "to_dtype"]),
        (|_| no(Tensor::stack(&[], 0)), Value, "stack", &["expected a non-empty list of Tensors"]),
        (|t| no(Tensor::stack(&[&t.v, &t.w], 0)), Shape, "stack", &["equal size, but got [3] at entry 0 and [4] at entry 1"]),
        (|t| no(Tensor::stack(&[&t.v], 2)), Index, "stack", RANGE),
        // Parts.
        (|t| no(t.a.narrow(2, 0, 1)), Index, "narrow", RANGE),
        (|t| no(t.a.narrow(1, 2, 2)), Index, "narrow", &["start (2) + length (2) exceeds dimension size (3)"]),
        (|t| no(t.a.narrow(1, usize::MAX, 2)), Index, "narrow", &["exceeds dimension size (3)"]),
        (|t| no(t.a.slice(2, 0, 1, 1)), Index, "slice", RANGE),
        (|t| no(t.a.slice(0, 0, 1, 0)), Value, "slice", &["step must be positive"]),
        (|t| no(t.s.slice(0, 0, 1, 1)), Index, "slice", &["0-dim tensor"]),
        (|t| no(t.a.select(2, 0)), Index, "select", RANGE),
        (|t| no(t.a.select(1, 3)), Index, "select", &["index 3 is out of bounds for dimension 1 with size 3"]),
        (|t| no(t.a.select(1, isize::MIN)), Index, "select", &["is out of bounds for dimension 1 with size 3"]),
        (|t| no(t.a.index_select(2, &t.i)), Index, "index_select", RANGE),
        (|t| no(t.a.index_select(0, &t.i)), Shape, "index_select", &["Index is supposed to be a vector", "[2, 3]"]),
        (|t| no(t.a.index_select(0, &t.v)), Type, "index_select", &["integer dtype, got float32"]),
        (|t| no(t.a.index_select(0, &Tensor::from([0, 2]))), Index, "index_select", &["index 2 is out of bounds for dimension with size 2"]),
        // Reductions.
        (|t| no(t.a.sum(2)), Index, "sum", RANGE),
        (|t| no(t.a.sum_keepdim(2)), Index, "sum", RANGE),
        (|t| no(t.a.sum([0, -2])), Index, "sum", &["dim 0 appears multiple times in the list of dims [0, -2]"]),
        (|t| no(t.a.sum(vec![true])), Index, "sum", &["a mask of 1 dimensions for a tensor of 2"]),
        (|t| no(t.a.mean(2)), Index, "mean", RANGE),
        (|t| no(t.i.mean(..)), Type, "mean", &["floating point tensor, got int64", "to_dtype"]),
        (|t| no(t.i.mean_keepdim(0)), Type, "mean", &["floating point tensor, got int64"]),
        (|t| no(t.a.amax(2)), Index, "amax", RANGE),
        (|t| no(t.b.amax(0)), Type, "amax", &["bool", "to_dtype"]),
        (|t| no(t.e.amax(1)), Shape, "amax", &["non-zero size", "[2, 0]"]),
        (|t| no(t.e.amin_keepdim(..)), Shape, "amin", &["non-zero size", "[2, 0]"]),
        (|t| no(t.a.argmax(2)), Index, "argmax", RANGE),
        (|t| no(t.e.argmin(1)), Shape, "argmin", &["reduction dim 1 to have non-zero size", "[2, 0]"]),
        (|t| no(t.b.argmax(1)), Type, "argmax", &["bool"]),
        // Products.
        (|t| no(t.a.matmul(&t.a)), Shape, "matmul", &["mat1 and mat2 shapes cannot be multiplied", "[2, 3] is 3", "[2, 3] is 2"]),
        (|t| no(t.a.matmul(&t.w)), Shape, "matmul", &["[2, 3] is 3", "the size of [4] is 4"]),
        (|t| no(t.a.matmul(&t.s)), Shape, "matmul", &["at least 1D, but they are 2D and 0D"]),
        (|t| no(t.a.matmul(&t.d)), Type, "matmul", &["same dtype, but got float32 and float64"]),
        (|t| no(t.i.matmul(&t.i)), Type, "matmul", &["floating point tensor, got int64"]),
        (|_| no(Tensor::ones([2, 1, 3]).matmul(&Tensor::ones([3, 3, 1]))), Shape, "matmul", &["(2) must match", "(3) at non-singleton dimension 0"]),
        (|t| no(t.w.linear(&t.a, None)), Shape, "linear", &["got 4 features", "[2, 3] takes 3"]),
        (|t| no(t.v.linear(&t.v, None)), Shape, "linear", &["a weight [out, in]", "[3] and [3]"]),
        (|t| no(t.v.linear(&t.a, Some(&t.v))), Shape, "linear", &["a bias of shape [2] is needed, got [3]"]),
        (|t| no(t.d.linear(&t.a, None)), Type, "linear", &["float64 and float32"]),
        // Softmax and losses.
        (|t| no(t.a.softmax(2)), Index, "softmax", RANGE),
        (|t| no(t.i.softmax(1)), Type, "softmax", &["floating point tensor, got int64"]),
        (|t| no(t.i.softmax(0)), Type, "softmax", &["floating point tensor, got int64"]),
        (|t| no(t.a.log_softmax(2)), Index, "log_softmax", RANGE),
        (|t| no(t.b.log_softmax(1)), Type, "log_softmax", &["floating point tensor, got bool"]),
        (|t| no(t.v.cross_entropy(&t.i)), Shape, "cross_entropy", &["[n, classes], got [3]"]),
        (|t| no(t.a.cross_entropy(&Tensor::from([0, 1, 2]))), Shape, "cross_entropy", &["batch_size (2)", "[3]", "expected [2]"]),
        (|t| no(t.a.cross_entropy(&Tensor::from([0.0, 1.0]))), Type, "cross_entropy", &["integer dtype, got float32"]),
        (|t| no(t.a.cross_entropy(&Tensor::from([0, 3]))), Index, "cross_entropy", &["Target 3 is out of bounds", "3 classes"]),
        (|t| no(t.a.cross_entropy(&Tensor::from([0, -1]))), Index, "cross_entropy", &["Target -1 is out of bounds"]),
        (|t| no(t.i.cross_entropy(&Tensor::from([0, 1]))), Type, "cross_entropy", &["floating point tensor, got int64"]),
        (|t| no(t.a.mse_loss(&t.w)), Shape, "mse_loss", BROADCAST),
        (|t| no(t.i.mse_loss(&t.i)), Type, "mse_loss", &["floating point tensor, got int64"]),
        // In place.
        (|t| t.v.copy_(&t.a), Shape, "copy_", &["[2, 3] cannot be broadcast to [3]"]),
        (|t| t.v.add_(&t.w), Shape, "add_", &["[4] cannot be broadcast to [3]"]),
        (|t| t.i.add_(&t.a), Type, "add_", &["result type float32 can't be cast to the desired output type int64"]),
        (|t| t.i.sub_(0.5), Type, "sub_", &["result type float32 can't be cast"]),
        (|t| t.b.mul_(true), Type, "mul_", &["bool"]),
        (|t| t.i.div_(2), Type, "div_", &["floating point tensor, got int64"]),
        (|t| t.l.mul_(2.0), Autograd, "mul_", &["a leaf Variable that requires grad is being used in an in-place operation", "no_grad"]),
        (|t| t.l.fill_(2.0), Autograd, "fill_", &["a leaf Variable that requires grad"]),
        (|t| t.y.add_(1.0), Autograd, "add_", &["result of a recorded operation", "no_grad"]),
        (|t| t.v.add_(&t.l), Autograd, "add_", &["requires a gradient", "detach()"]),
        (|t| t.v.broadcast_to([2, 3])?.add_(1.0), Value, "add_", &["more than one element of the written-to tensor refers to a single memory location", "contiguous()"]),
        (|t| t.v.update_(&t.w, [], &Sgd), Shape, "update_", &["[3]", "[4]", "agree in shape and dtype"]),
        (|t| t.v.update_(&t.w.narrow(0, 0, 3)?, [&t.v], &Sgd), Shape, "update_", &["lie apart in memory"]),
        (|t| t.i.update_(&t.i, [], &Sgd), Type, "update_", &["floating point tensor, got int64"]),
        // Gradients.
        (|t| no(t.i.clone().requires_grad_(true)), Type, "requires_grad_", &["floating point dtype can require gradients", "int64"]),
        (|t| no(t.y.clone().requires_grad_(false)), Autograd, "requires_grad_", &["leaf variables", "result of exp", "detach()"]),
        (|t| t.v.set_grad(None), Autograd, "set_grad", &["only a leaf that requires a gradient"]),
        (|t| t.l.set_grad(Some(t.w.clone())), Shape, "set_grad", &["[4]", "[3]"]),
        (|t| t.l.set_grad(Some(t.d.clone())), Type, "set_grad", &["float64", "float32"]),
        (|t| t.y.backward(), Autograd, "backward", &["only for scalar outputs", "shape [3]", "sum(..)"]),
        (|t| t.s.backward(), Autograd, "backward", &["does not require grad and does not have a grad_fn", "requires_grad_(true)"]),
        (|t| t.y.backward_with(&t.w), Shape, "backward_with", &["shape [4] and the tensor [3]"]),
        (|t| gradcheck(|x| x[0].exp(), std::slice::from_ref(&t.l), Tolerance::default()), Type, "gradcheck", &["input 0 is float32", "float64"]),
        (|t| gradcheck(|x| x[0].exp(), std::slice::from_ref(&t.d), Tolerance::default()), Autograd, "gradcheck", &["does not require a gradient"]),
    ]
};

#[test]
fn wrong_calls_say_what_is_wrong_and_change_nothing() {
    let tensors = Tensors::new().unwrap();
    let before = tensors.state();
    for (row, (call, kind, op, says)) in TABLE.iter().enumerate() {
        let error = match call(&tensors) {
            Ok(()) => panic!("row {row} ({op}, {says:?}) is accepted"),
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
        assert!(file.ends_with("errors.rs"), "'{message}' is laid to {file}");
    }
    assert!(
        places.iter().all(|(file, _)| file.ends_with("errors.rs")),
        "{places:?}"
    );
}
