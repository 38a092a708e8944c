//! Gradients of gradients, and what is built on them.

use gradus_core::autograd::{
    GradOptions, backward, checkpoint, grad, grad_with, hessian, jacobian,
};
use gradus_core::{
    DType, Kind, Result, Tensor, Tolerance, enable_grad, gradgradcheck, inference_mode, no_grad,
    random,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const TWICE: GradOptions<'static> = GradOptions {
    grad_outputs: &[],
    create_graph: true,
    allow_unused: false,
};

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::from_vec(values, [values.len()]).unwrap();
    x.requires_grad_(true).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() <= 1e-12 * (1.0 + e.abs()),
            "{found:?} against {expected:?}"
        );
    }
}

#[test]
fn derivatives_of_a_power_down_to_the_constant() -> Result<()> {
    let x = leaf(&[1.5]);
    let mut y = x.mul(&x)?.mul(&x)?.mul(&x)?;
    for factor in [
        4.0 * 1.5f64.powi(3),
        12.0 * 1.5f64.powi(2),
        24.0 * 1.5,
        24.0,
    ] {
        y = grad_with(&[&y], &[&x], TWICE)?.remove(0).unwrap();
        close(&values(&y), &[factor]);
    }
    Ok(())
}

#[test]
fn create_graph_puts_a_history_on_the_gradient_of_a_leaf() -> Result<()> {
    let x = leaf(&[2.0]);
    backward(&[&x.mul(&x)?.mul(&x)?], TWICE)?;
    let slope = x.grad().unwrap();
    assert!(slope.requires_grad());
    x.zero_grad();
    slope.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [12.0]);
    // Without it there is none.
    x.zero_grad();
    x.mul(&x)?.backward()?;
    assert!(!x.grad().unwrap().requires_grad());
    Ok(())
}

#[test]
fn grad_leaves_the_leaves_alone_and_reaches_results_on_the_way() -> Result<()> {
    let (x, unused) = (leaf(&[2.0, 3.0]), leaf(&[1.0]));
    let y = x.mul(&x)?;
    let z = y.mul(5.0)?.sum(..)?;
    let grads = grad(&[&z], &[&y, &x])?;
    assert_eq!(
        (values(&grads[0]), values(&grads[1])),
        (vec![5.0; 2], vec![20.0, 30.0])
    );
    assert!(x.grad().is_none() && y.grad().is_none());
    let error = grad(&[&z], &[&x, &unused]).unwrap_err();
    assert!(
        error.to_string().contains("input 1, of shape [1]"),
        "{error}"
    );
    let options = GradOptions {
        allow_unused: true,
        ..GradOptions::default()
    };
    assert!(grad_with(&[&z], &[&unused], options)?[0].is_none());
    assert_eq!(
        grad(&[&z], &[&Tensor::ones([1])]).unwrap_err().kind(),
        Kind::Autograd
    );
    // Several outputs at once are summed.
    let both = grad(&[&z, &x.sum(..)?], &[&x])?;
    assert_eq!(values(&both[0]), [21.0, 31.0]);
    Ok(())
}

#[test]
fn a_hessian_is_symmetric_and_a_jacobian_has_a_row_for_each_result() -> Result<()> {
    let (a, b) = (leaf(&[1.0, 2.0]).detach(), leaf(&[3.0]).detach());
    let f = |x: &[Tensor]| x[0].mul(&x[0])?.mul(&x[1])?.sum(..);
    let h = hessian(f, &[a.clone(), b.clone()])?;
    assert_eq!(values(&h[0][0]), [6.0, 0.0, 0.0, 6.0]);
    assert_eq!(
        (values(&h[0][1]), values(&h[1][0])),
        (vec![2.0, 4.0], vec![2.0, 4.0])
    );
    assert_eq!(
        (values(&h[1][1]), h[0][1].shape()),
        (vec![0.0], &[2, 1][..])
    );
    let j = jacobian(|x| x[0].mul(&x[1]), &[a, b])?;
    assert_eq!(
        (values(&j[0]), j[0].shape()),
        (vec![3.0, 0.0, 0.0, 3.0], &[2, 2][..])
    );
    assert_eq!((values(&j[1]), j[1].shape()), (vec![1.0, 2.0], &[2, 1][..]));
    Ok(())
}

#[test]
fn gradgradcheck_finds_a_wrong_second_derivative() -> Result<()> {
    use gradus_core::{Context, Function, Grad, Grads, Saved, apply};
    /// x², whose gradient is right and not recorded.
    struct Square;
    impl Function for Square {
        fn name(&self) -> &'static str {
            "Square"
        }
        fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
            ctx.save(x[0]);
            x[0].mul(x[0])
        }
        fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
            let x = saved.get(0)?.detach();
            Ok([Grad::Of(g.mul(&x)?.mul(2.0)?)].into())
        }
    }
    let x = leaf(&[1.0, 2.0]);
    let check = |f: fn(&[Tensor]) -> Result<Tensor>| {
        gradgradcheck(f, std::slice::from_ref(&x), Tolerance::default())
    };
    check(|x| x[0].mul(&x[0]))?;
    let error = check(|x| apply(Square, &[&x[0]])).unwrap_err();
    assert!(error.to_string().contains("gradgradcheck"), "{error}");
    assert!(x.grad().is_none());
    Ok(())
}

#[test]
fn hooks_see_and_change_the_whole_gradient_of_a_tensor() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let y = x.mul(2.0)?;
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let hook = y.register_hook(move |g| {
        seen.fetch_add(1, Ordering::Relaxed);
        assert_eq!(values(g), [4.0, 4.0], "not a part of the sum");
        g.mul(100.0).map(Some)
    })?;
    let z = y.mul(3.0)?.add(&y)?.sum(..)?;
    y.retain_grad()?;
    z.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [800.0, 800.0]);
    assert_eq!(values(&y.grad().unwrap()), [400.0, 400.0]);
    hook.remove();
    x.zero_grad();
    z.backward()?;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(values(&x.grad().unwrap()), [8.0, 8.0]);
    // A hook that spoils the shape is an error, and nothing is changed.
    x.zero_grad();
    y.register_hook(|g| g.sum(..).map(Some))?;
    let error = z.backward().unwrap_err();
    assert!(error.to_string().contains("a hook on mul"), "{error}");
    assert!(x.grad().is_none());
    Ok(())
}

#[test]
fn a_checkpoint_gives_the_same_gradients_with_the_same_random_numbers() -> Result<()> {
    let (x, w) = (leaf(&[1.0, 2.0, 3.0]), leaf(&[0.5, 0.6, 0.7]));
    let block = |x: &Tensor, w: &Tensor| {
        let noise = Tensor::rand([3])?.to_dtype(DType::F64)?;
        x.mul(w)?.mul(x)?.mul(&noise)
    };
    let run = |checkpointed: bool| -> Result<Vec<Vec<f64>>> {
        random::manual_seed(5);
        let inside = w.clone();
        let y = match checkpointed {
            true => checkpoint(move |x| block(&x[0], &inside), &[&x.mul(2.0)?])?,
            false => block(&x.mul(2.0)?, &w)?,
        };
        // The stream goes on as if the block had run once.
        let after = Tensor::rand([2])?.to_dtype(DType::F64)?;
        let loss = y.mul(&y)?.sum(..)?;
        let grads = grad(&[&loss], &[&x, &w])?;
        Ok(vec![
            values(&y),
            values(&grads[0]),
            values(&grads[1]),
            values(&after),
        ])
    };
    assert_eq!(run(true)?, run(false)?);
    Ok(())
}

#[test]
fn a_checkpoint_keeps_only_its_ends() -> Result<()> {
    let x = leaf(&[1.0]);
    let inner = Arc::new(slot::Slot::default());
    let slot = inner.clone();
    let y = checkpoint(
        move |x| {
            let middle = x[0].mul(2.0)?;
            slot.put(&middle);
            middle.mul(&middle)
        },
        &[&x],
    )?;
    assert!(
        !inner.alive(),
        "an intermediate result is still there after forward"
    );
    y.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [8.0]);
    Ok(())
}

/// Remembers a node without keeping it.
mod slot {
    use gradus_core::{Node, Tensor};
    use std::sync::{Mutex, Weak};

    #[derive(Default)]
    pub struct Slot(Mutex<Weak<Node>>);

    impl Slot {
        pub fn put(&self, x: &Tensor) {
            let node = x.grad_fn().map(|node| std::sync::Arc::downgrade(&node));
            *self.0.lock().unwrap() = node.unwrap_or_default();
        }
        pub fn alive(&self) -> bool {
            self.0.lock().unwrap().upgrade().is_some()
        }
    }
}

#[test]
fn what_inference_mode_makes_never_gets_into_a_graph() -> Result<()> {
    let w = leaf(&[2.0]);
    let frozen = inference_mode(|| w.mul(3.0))?;
    assert!(frozen.is_inference() && !frozen.requires_grad());
    let error = w.mul(&frozen).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("inference tensors cannot be saved"),
        "{error}"
    );
    // Nothing is saved by an addition, and nothing is recorded without gradients.
    w.add(&frozen)?.backward()?;
    assert_eq!(values(&w.grad().unwrap()), [1.0]);
    no_grad(|| w.mul(&frozen))?;
    assert!(no_grad(|| enable_grad(|| w.mul(1.0)))?.requires_grad());
    Ok(())
}

#[test]
fn where_nothing_flows_an_infinite_gradient_does_not_either() -> Result<()> {
    type Stop = fn(&Tensor) -> Result<Tensor>;
    // Each has a slope of 0 at −4. What follows may have an infinite one, as a square root has at 0.
    let stops: [Stop; 14] = [
        |x| x.relu(),
        |x| x.relu6(),
        |x| x.clamp_min(0.0),
        |x| x.clamp(0.0, 9.0),
        |x| x.hardtanh(0.0, 9.0),
        |x| x.threshold(0.0, 0.0),
        |x| x.hardsigmoid(),
        |x| x.hardswish(),
        |x| x.add(4.0)?.softshrink(0.5),
        |x| x.add(4.0)?.hardshrink(0.5),
        |x| x.maximum(0.0),
        |x| x.fmax(0.0),
        |x| x.add(4.0)?.norm(2.0, ..),
        |x| x.add(4.0)?.norm(3.0, ..),
    ];
    for (i, stop) in stops.into_iter().enumerate() {
        for create_graph in [false, true] {
            let x = leaf(&[-4.0]);
            let y = stop(&x)?;
            let options = GradOptions {
                grad_outputs: &[&Tensor::full(y.shape(), f64::INFINITY, y.dtype())?],
                create_graph,
                allow_unused: false,
            };
            let g = grad_with(&[&y], &[&x], options)?.remove(0).unwrap();
            assert_eq!(values(&g), [0.0], "{i} {create_graph}");
        }
    }
    Ok(())
}
