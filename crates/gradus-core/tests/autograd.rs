//! The engine: what a recorded graph does, beyond single operations.

use gradus_core::autograd::{self, GradOptions, grad_with};
use gradus_core::shape::Layout;
use gradus_core::{
    Context, DType, Function, Grad, Grads, Kind, Result, Saved, Tensor, apply, no_grad, s,
};

fn leaf(x: f64) -> Tensor {
    Tensor::full((), x, DType::F64)
        .unwrap()
        .requires_grad_(true)
        .unwrap()
}

fn value(x: &Tensor) -> f64 {
    x.item().unwrap()
}

#[test]
fn gradients_accumulate_over_uses_and_over_calls() {
    let x = leaf(3.0);
    let y = x.mul(&x).unwrap().add(&x).unwrap();
    y.backward().unwrap();
    assert_eq!(value(&x.grad().unwrap()), 7.0);
    y.backward().unwrap();
    assert_eq!(
        value(&x.grad().unwrap()),
        14.0,
        "a second backward adds the same again"
    );
    x.zero_grad();
    assert!(x.grad().is_none());
}

#[test]
fn a_diamond_is_walked_once_per_node() {
    // Each level uses the one before twice: 2^60 paths, 60 nodes.
    let x = leaf(1.0);
    let mut y = x.mul(1.0).unwrap();
    for _ in 0..60 {
        y = y.add(&y).unwrap();
    }
    y.backward().unwrap();
    assert_eq!(value(&x.grad().unwrap()), (1u64 << 60) as f64);
}

#[test]
fn a_million_operations_run_forward_backward_and_drop_on_a_small_stack() {
    let run = || {
        let x = leaf(1.0);
        let mut y = x.clone();
        for _ in 0..1_000_000 {
            y = y.add(&x).unwrap();
        }
        y.backward().unwrap();
        assert_eq!(value(&x.grad().unwrap()), 1_000_001.0);
        // mul saves its inputs, so that dropping goes through saved tensors as well.
        let mut z = x.clone();
        for _ in 0..100_000 {
            z = z.mul(&x).unwrap().exp().unwrap().log().unwrap();
        }
        drop(z);
    };
    std::thread::Builder::new()
        .stack_size(128 << 10)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn nothing_leaks_when_an_operation_saves_its_own_result() {
    let x = leaf(0.5);
    let y = x.exp().unwrap();
    let node = std::sync::Arc::downgrade(&y.grad_fn().unwrap());
    drop(y.mul(&y).unwrap());
    assert!(node.upgrade().is_some());
    drop(y);
    assert!(node.upgrade().is_none(), "the node outlives its tensor");
}

#[test]
fn no_grad_and_detach_record_nothing() {
    let x = leaf(2.0);
    assert!(no_grad(|| x.mul(3.0)).unwrap().grad_fn().is_none());
    let y = x.mul(&x.detach()).unwrap();
    y.backward().unwrap();
    assert_eq!(
        value(&x.grad().unwrap()),
        2.0,
        "the detached factor is a constant"
    );
    let inside = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!(
        inside.is_err() && x.mul(1.0).unwrap().requires_grad(),
        "recording is on again after a panic"
    );
}

#[test]
fn a_saved_tensor_that_was_changed_is_refused() {
    let (x, w) = (leaf(2.0), leaf(5.0));
    let y = x.mul(&w).unwrap();
    no_grad(|| w.add_(1.0)).unwrap();
    let error = y.backward().unwrap_err();
    assert_eq!(error.kind(), Kind::Autograd);
    assert!(
        error
            .to_string()
            .contains("modified by an inplace operation"),
        "{error}"
    );
    assert!(
        x.grad().is_none() && w.grad().is_none(),
        "no half-done gradients"
    );
}

#[test]
fn leaves_that_require_a_gradient_cannot_be_changed_in_place() {
    let x = Tensor::ones([3]).requires_grad_(true).unwrap();
    let error = x.add_(1.0).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a leaf Variable that requires grad is being used in an in-place operation")
    );
    assert_eq!(x.to_vec::<f32>().unwrap(), [1.0; 3]);
}

#[test]
fn gradients_of_two_leaves_do_not_share_memory() {
    let (a, b) = (
        Tensor::ones([2]).requires_grad_(true).unwrap(),
        Tensor::ones([2]).requires_grad_(true).unwrap(),
    );
    a.add(&b).unwrap().sum(..).unwrap().backward().unwrap();
    a.grad().unwrap().fill_(9.0).unwrap();
    assert_eq!(b.grad().unwrap().to_vec::<f32>().unwrap(), [1.0, 1.0]);
}

#[test]
fn the_caller_keeps_the_gradient_it_passed() {
    let x = Tensor::ones([2]).requires_grad_(true).unwrap();
    let g = Tensor::from([1.0, 2.0]);
    let y = x.mul(1.0).unwrap();
    y.backward_with(&g).unwrap();
    y.backward_with(&g).unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>().unwrap(), [2.0, 4.0]);
    assert_eq!(g.to_vec::<f32>().unwrap(), [1.0, 2.0]);
}

#[test]
fn errors_say_what_to_do() {
    let message = |r: Result<()>| r.unwrap_err().to_string();
    let many = Tensor::ones([2]).requires_grad_(true).unwrap();
    assert!(message(many.backward()).contains("scalar outputs"));
    assert!(message(Tensor::ones([]).backward()).contains("does not require grad"));
    let x = leaf(1.0);
    assert!(message(x.backward_with(&Tensor::ones([2]))).contains("mismatch in shape"));
    assert!(
        Tensor::from([1, 2])
            .requires_grad_(true)
            .unwrap_err()
            .to_string()
            .contains("floating point")
    );
    assert!(x.mul(2.0).unwrap().requires_grad_(false).is_err());
}

/// Returns its input unchanged, one gradient too many, or one of a wrong shape.
struct Odd(&'static str);
impl Function for Odd {
    fn name(&self) -> &'static str {
        "Odd"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].clone())
    }
    fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        Ok(match self.0 {
            "count" => [Grad::Of(g.clone()), Grad::Zero].into(),
            "shape" => [Grad::Of(Tensor::ones([7]))].into(),
            "zero" => [Grad::Zero].into(),
            _ => [Grad::Of(g.clone())].into(),
        })
    }
}

#[test]
fn user_functions_are_held_to_the_rules() {
    let x = Tensor::ones([2]).requires_grad_(true).unwrap();
    let backward = |kind| {
        apply(Odd(kind), &[&x])
            .unwrap()
            .backward_with(&Tensor::ones([2]))
    };
    assert!(
        backward("count")
            .unwrap_err()
            .to_string()
            .contains("2 gradients for 1 inputs")
    );
    assert!(
        backward("shape")
            .unwrap_err()
            .to_string()
            .contains("shape [7] for an input of shape [2]")
    );
    backward("zero").unwrap();
    assert!(x.grad().is_none(), "Grad::Zero lets nothing through");
    let y = apply(Odd("identity"), &[&x]).unwrap();
    assert!(
        x.is_leaf() && !y.is_leaf(),
        "an input that is returned keeps its own history"
    );
    y.backward_with(&Tensor::ones([2])).unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>().unwrap(), [1.0, 1.0]);
}

#[test]
fn mixed_dtypes_get_gradients_of_their_own_dtype() {
    let (a, b) = (Tensor::ones([2]).requires_grad_(true).unwrap(), leaf(2.0));
    let wide = Tensor::full([2], 3.0, DType::F64)
        .unwrap()
        .requires_grad_(true)
        .unwrap();
    a.mul(&b)
        .unwrap()
        .mul(&wide)
        .unwrap()
        .sum(..)
        .unwrap()
        .backward()
        .unwrap();
    assert_eq!(a.grad().unwrap().dtype(), DType::F32);
    assert_eq!(wide.grad().unwrap().dtype(), DType::F64);
    assert_eq!(
        (
            value(&b.grad().unwrap()),
            a.grad().unwrap().to_vec::<f32>().unwrap()
        ),
        (6.0, vec![6.0, 6.0])
    );
}

#[test]
fn tensors_cross_threads() {
    fn both<T: Send + Sync>() {}
    both::<Tensor>();
    let w = Tensor::ones([100]).requires_grad_(true).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    w.mul(2.0).unwrap().sum(..).unwrap().backward().unwrap();
                }
            });
        }
    });
    assert_eq!(w.grad().unwrap().to_vec::<f32>().unwrap(), [400.0; 100]);
}

#[test]
fn changing_one_gradient_in_place_changes_no_other_and_no_tensor() -> Result<()> {
    let v = Tensor::ones([2]);
    for create_graph in [false, true] {
        let options = GradOptions {
            grad_outputs: &[&v],
            create_graph,
            allow_unused: false,
        };
        let x = [(); 3].map(|()| Tensor::ones([2]).requires_grad_(true).unwrap());
        // Its gradient is given on as it is, to both inputs; the third is a view of it.
        let sum = || x[0].add(&x[1])?.add(&x[2].t()?.t()?);
        let grads = autograd::grad_with(&[&sum()?], &[&x[0], &x[1], &x[2], &x[0]], options)?;
        let mut grads: Vec<Tensor> = grads.into_iter().flatten().collect();
        autograd::backward(&[&sum()?], options)?;
        grads.extend(x.iter().map(|x| x.grad().unwrap()));
        for (i, changed) in grads.iter().enumerate() {
            no_grad(|| changed.fill_(2.0 + i as f64))?;
        }
        for (i, grad) in grads.iter().enumerate() {
            assert_eq!(
                grad.to_vec::<f64>()?,
                [2.0 + i as f64; 2],
                "{create_graph} {i}"
            );
        }
        assert_eq!(v.to_vec::<f64>()?, [1.0, 1.0]);
    }
    Ok(())
}

#[test]
fn gradients_of_many_parts_are_put_together() -> Result<()> {
    let x = Tensor::arange(0.0, 40.0, 1.0, DType::F64)?
        .reshape([20, 2])?
        .requires_grad_(true)?;
    // Row i times i, some rows twice, a strided part and the whole.
    let mut loss = x.sum(..)?;
    for (i, row) in x.unbind(0)?.iter().chain(&x.unbind(0)?[..3]).enumerate() {
        loss = loss.add(&row.mul(i as f64)?.sum(..)?)?;
    }
    loss = loss.add(&x.i((s(.., 2), 1))?.mul(100.0)?.sum(..)?)?;
    let expected: Vec<f64> = (0..40)
        .map(|i| (i / 2, i % 2))
        .map(|(row, col)| {
            let again = if row < 3 { row + 20 } else { 0 };
            let strided = if row % 2 == 0 && col == 1 { 100 } else { 0 };
            (1 + row + again + strided) as f64
        })
        .collect();
    loss.backward()?;
    assert_eq!(x.grad().unwrap().to_vec::<f64>()?, expected);
    // With a history the same numbers, by operations that are recorded.
    let options = GradOptions {
        create_graph: true,
        ..GradOptions::default()
    };
    let recorded = grad_with(&[&loss], &[&x], options)?.remove(0).unwrap();
    assert_eq!(recorded.to_vec::<f64>()?, expected);
    Ok(())
}

#[test]
fn a_part_outside_of_its_input_is_an_error() -> Result<()> {
    struct Outside(usize);
    impl Function for Outside {
        fn name(&self) -> &'static str {
            "outside"
        }
        fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
            x[0].copy()
        }
        fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
            let mut part = Layout::contiguous(grad.shape().into());
            part.offset = self.0;
            Ok([Grad::Part(Box::new(part), grad.clone())].into())
        }
    }
    let x = Tensor::ones([3]).requires_grad_(true)?;
    for pending in [false, true] {
        let y = apply(Outside(1), &[&x])?.sum(..)?;
        let loss = if pending { y.add(&x.sum(..)?)? } else { y };
        assert_eq!(loss.backward().unwrap_err().kind(), Kind::Autograd);
        assert!(x.grad().is_none());
    }
    apply(Outside(0), &[&x])?.sum(..)?.backward()?;
    assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [1.0; 3]);
    Ok(())
}
