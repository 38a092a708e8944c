//! Changes in place: values, memory, and the gradients that flow through them.

use gradus_core::{DType, Result, Tensor, autograd, no_grad};

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::from_vec(values, [values.len()]).unwrap();
    x.requires_grad_(true).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

fn gradient(x: &Tensor) -> Vec<f64> {
    values(&x.grad().expect("a gradient"))
}

#[test]
fn a_result_that_is_changed_takes_the_change_into_its_history() -> Result<()> {
    let (x, w) = (leaf(&[1.0, 2.0, 3.0]), leaf(&[5.0, 6.0, 7.0]));
    let y = x.mul(2.0)?;
    y.mul_(&w)?;
    y.add_(&x)?;
    y.div_(4.0)?;
    assert_eq!(values(&y), [11.0 / 4.0, 26.0 / 4.0, 45.0 / 4.0]);
    y.sum(..)?.backward()?;
    assert_eq!(gradient(&x), [11.0 / 4.0, 13.0 / 4.0, 15.0 / 4.0]);
    assert_eq!(gradient(&w), [0.5, 1.0, 1.5]);
    Ok(())
}

#[test]
fn a_constant_that_takes_a_gradient_in_is_no_leaf_any_more() -> Result<()> {
    let w = leaf(&[3.0, 4.0]);
    let x = Tensor::full([2], 10.0, DType::F64)?;
    x.mul_(&w)?;
    assert!(x.requires_grad() && !x.is_leaf());
    x.sum(..)?.backward()?;
    assert_eq!(gradient(&w), [10.0, 10.0]);
    Ok(())
}

#[test]
fn overwritten_places_get_no_gradient_and_the_source_does() -> Result<()> {
    let (x, v) = (leaf(&[1.0, 2.0, 3.0, 4.0]), leaf(&[7.0, 8.0]));
    let y = x.mul(3.0)?;
    y.narrow(0, 1, 2)?.copy_(&v)?;
    assert_eq!(values(&y), [3.0, 7.0, 8.0, 12.0]);
    y.mul(&y)?.sum(..)?.backward()?;
    assert_eq!(gradient(&x), [18.0, 0.0, 0.0, 72.0]);
    assert_eq!(gradient(&v), [14.0, 16.0]);
    Ok(())
}

#[test]
fn a_filled_result_still_leads_back_with_a_gradient_of_zero() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let y = x.mul(3.0)?;
    y.fill_(5.0)?;
    y.sum(..)?.backward()?;
    assert_eq!(gradient(&x), [0.0, 0.0]);
    Ok(())
}

#[test]
fn other_views_and_the_base_follow_a_change_of_one_view() -> Result<()> {
    let (x, v) = (leaf(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), leaf(&[10.0, 20.0]));
    // A base with strides of its own, a view of a view, a view seen before the change.
    let base = x.mul(1.0)?.reshape([2, 3])?;
    let turned = base.t()?;
    let (before, column) = (turned.select(0, 0)?, base.select(1, 0)?);
    turned.select(0, 0)?.mul_(&v)?;
    for view in [&before, &column] {
        assert_eq!(values(view), [10.0, 80.0]);
        x.zero_grad();
        v.zero_grad();
        view.sum(..)?.backward()?;
        assert_eq!(gradient(&x), [10.0, 0.0, 0.0, 20.0, 0.0, 0.0]);
        assert_eq!(gradient(&v), [1.0, 4.0]);
    }
    x.zero_grad();
    base.sum(..)?.backward()?;
    assert_eq!(gradient(&x), [10.0, 1.0, 1.0, 20.0, 1.0, 1.0]);
    Ok(())
}

#[test]
fn a_detached_base_with_strides_and_gaps_keeps_its_places() -> Result<()> {
    let x = Tensor::arange(0.0, 12.0, 1.0, DType::F64)?.reshape([3, 4])?;
    let y = x.slice(1, 1, 4, 2)?.t()?.detach();
    let w = leaf(&[2.0, 3.0, 5.0]);
    y.select(0, 1)?.mul_(&w)?;
    assert_eq!(values(&y), [1.0, 5.0, 9.0, 6.0, 21.0, 55.0]);
    assert_eq!(values(&x)[3], 6.0, "memory is still shared");
    y.sum(..)?.backward()?;
    assert_eq!(gradient(&w), [3.0, 7.0, 11.0]);
    Ok(())
}

#[test]
fn a_view_whose_elements_overlap_adds_up_after_its_base_was_changed() -> Result<()> {
    let w = leaf(&[2.0]);
    let base = Tensor::ones([2, 1]).to_dtype(DType::F64)?;
    let wide = base.broadcast_to([2, 3])?;
    base.mul_(&w)?;
    assert!(wide.requires_grad());
    wide.sum(..)?.backward()?;
    assert_eq!(gradient(&w), [6.0]);
    Ok(())
}

#[test]
fn leaves_and_their_views_are_refused_and_unrecorded_views_too() -> Result<()> {
    let says = |r: Result<()>, text: &str| {
        let message = r.expect_err(text).to_string();
        assert!(message.contains(text), "{message}");
    };
    let x = leaf(&[1.0, 2.0]);
    says(x.mul_(2.0), "a leaf Variable that requires grad");
    says(
        x.narrow(0, 0, 1)?.mul_(2.0),
        "a view of a leaf Variable that requires grad",
    );
    let y = x.mul(1.0)?;
    let view = no_grad(|| y.narrow(0, 0, 1))?;
    says(view.mul_(2.0), "view was created in no_grad mode");
    assert_eq!((values(&x), values(&y)), (vec![1.0, 2.0], vec![1.0, 2.0]));
    no_grad(|| view.mul_(2.0))?;
    assert_eq!(values(&y), [2.0, 2.0]);
    Ok(())
}

#[test]
fn what_was_saved_before_a_change_is_refused_afterwards() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let y = x.exp()?;
    y.add_(1.0)?;
    let error = y.sum(..)?.backward().unwrap_err().to_string();
    assert!(
        error.contains("modified by an inplace operation"),
        "{error}"
    );
    // A view of the memory counts as well.
    let z = x.exp()?;
    z.narrow(0, 0, 1)?.fill_(0.0)?;
    assert!(z.sum(..)?.backward().is_err());
    // Nothing was saved by an addition.
    let z = x.add(1.0)?;
    z.mul_(2.0)?;
    z.sum(..)?.backward()?;
    assert_eq!(gradient(&x), [2.0, 2.0]);
    Ok(())
}

#[test]
fn a_change_in_place_keeps_the_memory() -> Result<()> {
    let x = leaf(&[1.0, 2.0]).mul(1.0)?;
    let view = x.reshape([2, 1])?;
    x.mul_(3.0)?;
    assert!(x.shares_memory(&view));
    assert_eq!(values(&view), [3.0, 6.0]);
    // Source and target overlap.
    let y = Tensor::arange(0.0, 5.0, 1.0, DType::F64)?;
    y.narrow(0, 1, 4)?.copy_(&y.narrow(0, 0, 4)?)?;
    assert_eq!(values(&y), [0.0, 0.0, 1.0, 2.0, 3.0]);
    Ok(())
}

#[test]
fn changes_in_place_can_be_differentiated_twice() -> Result<()> {
    let (x, v) = (leaf(&[1.0, 2.0, 3.0]), leaf(&[4.0]));
    let y = x.mul(&x)?;
    y.narrow(0, 1, 1)?.mul_(&v.mul(&v)?)?;
    let options = autograd::GradOptions {
        create_graph: true,
        ..Default::default()
    };
    let slopes = autograd::grad_with(&[&y.sum(..)?], &[&x, &v], options)?;
    let slope = |i: usize| slopes[i].as_ref().unwrap();
    assert_eq!(values(slope(0)), [2.0, 64.0, 6.0]);
    assert_eq!(values(slope(1)), [32.0]);
    // d/dx of the gradient of v: 4·x·v at the changed place.
    let mixed = autograd::grad(&[&slope(1).sum(..)?], &[&x])?;
    assert_eq!(values(&mixed[0]), [0.0, 32.0, 0.0]);
    Ok(())
}

#[test]
fn threads_that_change_views_of_each_other_do_not_block_each_other() -> Result<()> {
    type Action = fn(&Tensor, &Tensor, &Tensor) -> Result<()>;
    let actions: [Action; 9] = [
        |a, b, _| a.copy_(b),
        |a, b, _| b.copy_(a),
        |a, b, _| a.t()?.add_(&b.flip([0])?.t()?),
        |a, b, _| b.select(0, 1)?.copy_(&a.select(1, 2)?),
        |a, b, _| a.set(&b.gt(0.0)?, &b.select(0, 0)?.select(0, 0)?),
        |a, b, _| b.masked_fill_(&a.isfinite()?.logical_not()?, 0.5),
        |a, b, _| a.set(([1, 3], ..), &b.i([0, 2])?),
        |a, b, _| b.uniform_(-1.0, 1.0).and_then(|()| a.mul_(0.5)),
        // Recorded, with a history that grows in the base.
        |_, b, c| c.select(0, 0)?.mul_(&b.select(0, 0)?.detach().sin()?),
    ];
    let (a, b) = (Tensor::ones([40, 40]), Tensor::zeros([40, 40]));
    let c = Tensor::ones([40, 40]).requires_grad_(true)?.mul(1.0)?;
    let (done, finished) = std::sync::mpsc::channel();
    for action in actions {
        let (a, b, c, done) = (a.clone(), b.clone(), c.clone(), done.clone());
        std::thread::spawn(move || {
            let result = (0..300).try_for_each(|_| action(&a, &b, &c));
            done.send(result).unwrap();
        });
    }
    for _ in actions {
        let result = finished.recv_timeout(std::time::Duration::from_secs(60));
        result.expect("the threads wait for each other")?;
    }
    assert!(c.sum(..)?.requires_grad());
    Ok(())
}
