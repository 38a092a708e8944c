//! Printed tensors against what PyTorch 2.15 prints, in `display.txt`: for each a line with dtype,
//! sizes, elements, notation (`e` for scientific, digits) and whether it requires a gradient; below
//! it PyTorch's text, with dtypes written without `torch.`.

use gradus_core::{DType, Tensor};

/// The tensor that a line describes: elements are listed and repeated as often as needed, or a
/// range's start and step.
fn tensor(dtype: &str, shape: &str, kind: &str, numbers: &[f64]) -> Tensor {
    let dtype = DType::ALL.into_iter().find(|d| d.name() == dtype).unwrap();
    let sizes = shape.split(',').filter(|size| *size != "-");
    let shape: Vec<usize> = sizes.map(|size| size.parse().unwrap()).collect();
    let element = |i: usize| match kind {
        "range" => numbers[0] + i as f64 * numbers[1],
        _ => numbers[i % numbers.len()],
    };
    let values: Vec<f64> = (0..shape.iter().product()).map(element).collect();
    Tensor::from_vec(values, shape)
        .unwrap()
        .to_dtype(dtype)
        .unwrap()
}

#[test]
fn tensors_print_as_in_pytorch() {
    let cases = include_str!("display.txt").strip_prefix("# ").unwrap();
    let mut seen = 0;
    for case in cases.split("\n# ") {
        let (head, expected) = case.split_once('\n').unwrap();
        let (what, how) = head.split_once(" | ").unwrap();
        let what: Vec<&str> = what.split(' ').collect();
        let numbers: Vec<f64> = what[3..].iter().map(|x| x.parse().unwrap()).collect();
        let (notation, grad) = how.split_once(' ').unwrap();
        let x = tensor(what[0], what[1], what[2], &numbers);
        let x = x.requires_grad_(grad == "grad").unwrap();
        let digits: usize = notation[1..].parse().unwrap();
        let text = match &notation[..1] {
            "e" => format!("{x:.digits$e}"),
            _ => format!("{x:.digits$}"),
        };
        assert_eq!(text, expected.trim_end(), "{head}");
        seen += 1;
    }
    assert!(seen >= 40, "only {seen} cases found");
}

#[test]
fn results_name_the_operation_they_come_from() {
    let x = Tensor::from([1.0]).requires_grad_(true).unwrap();
    let y = x.exp().unwrap();
    assert_eq!(y.to_string(), "tensor([2.7183], grad_fn=<expBackward>)");
    assert_eq!(
        format!("{y:?}"),
        "Tensor(float32, [1], [2.7183], grad_fn=<expBackward>)"
    );
    assert_eq!(
        format!("{x:?}"),
        "Tensor(float32, [1], [1.], requires_grad=True)"
    );
}

#[test]
fn debug_is_one_line_with_the_elements_of_small_tensors() {
    let debug = |x: Tensor| format!("{x:?}");
    assert_eq!(debug(Tensor::from(-2.5)), "Tensor(float32, [], -2.5000)");
    assert_eq!(
        debug(Tensor::from([[true], [false]])),
        "Tensor(bool, [2, 1], [[True], [False]])"
    );
    assert_eq!(debug(Tensor::zeros([2, 0])), "Tensor(float32, [2, 0])");
    assert_eq!(debug(Tensor::zeros([9])), "Tensor(float32, [9])");
}

#[test]
fn only_what_is_printed_is_looked_at() {
    // A view may be larger than the memory.
    let view = Tensor::ones([1]).broadcast_to([1 << 50, 1]).unwrap();
    assert_eq!(view.to_string().matches("[1.]").count(), 6);
}
