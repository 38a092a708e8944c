//! Optimizers beside PyTorch's, over enough steps for every average to count.

use gradus::nn::{self, Module, Parameter};
use gradus::optim::{Adadelta, Adagrad, Ema, Optimizer, Rmsprop};
use gradus::{DType, Tensor, no_grad};

const STEPS: usize = 25;

type Make = fn(Vec<Parameter>) -> Box<dyn Optimizer>;

/// The settings, by the names of the figures below.
const OPTIMIZERS: [(&str, Make); 9] = [
    ("RMSprop(p, 0.02)", |p| Box::new(Rmsprop::new(p, 0.02))),
    (
        "RMSprop(p, 0.02, alpha=0.9, eps=1e-3, weight_decay=0.1)",
        |p| {
            let rmsprop = Rmsprop::new(p, 0.02).alpha(0.9).eps(1e-3);
            Box::new(rmsprop.weight_decay(0.1))
        },
    ),
    ("RMSprop(p, 0.02, momentum=0.8)", |p| {
        Box::new(Rmsprop::new(p, 0.02).momentum(0.8))
    }),
    ("RMSprop(p, 0.02, centered=True)", |p| {
        Box::new(Rmsprop::new(p, 0.02).centered(true))
    }),
    (
        "RMSprop(p, 0.02, centered=True, momentum=0.5, weight_decay=0.05)",
        |p| {
            let rmsprop = Rmsprop::new(p, 0.02).centered(true).momentum(0.5);
            Box::new(rmsprop.weight_decay(0.05))
        },
    ),
    ("Adagrad(p, 0.1)", |p| Box::new(Adagrad::new(p, 0.1))),
    (
        "Adagrad(p, 0.1, lr_decay=0.05, weight_decay=0.1, eps=1e-4)",
        |p| {
            let adagrad = Adagrad::new(p, 0.1).lr_decay(0.05).eps(1e-4);
            Box::new(adagrad.weight_decay(0.1))
        },
    ),
    ("Adadelta(p, 1.0)", |p| Box::new(Adadelta::new(p, 1.0))),
    (
        "Adadelta(p, 0.7, rho=0.8, eps=1e-4, weight_decay=0.1)",
        |p| {
            let adadelta = Adadelta::new(p, 0.7).rho(0.8).eps(1e-4);
            Box::new(adadelta.weight_decay(0.1))
        },
    ),
];

/// PyTorch 2.15:
///
/// ```python
/// w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
/// for t in range(25):
///     w.grad = torch.tensor([math.sin(t * (i + 1)) + x for i, x in enumerate(w.tolist())], dtype=w.dtype)
///     optimizer.step()
/// ```
const PYTORCH: [[f64; 3]; 9] = [
    [
        0.19264648825996752,
        -0.6759588362211029,
        0.012678340975997973,
    ],
    [0.540194244696053, -1.3919062169622134, 0.17122005548439162],
    [
        0.0998406413177062,
        -0.056746220983450384,
        -0.003448078296231791,
    ],
    [
        0.1873273627820056,
        -0.6424264624492855,
        0.011407803523689662,
    ],
    [
        0.02835418294379805,
        -0.10810938012330638,
        -0.009540075542662051,
    ],
    [0.4560331806723827, -1.2539242477478731, 0.11921621139286934],
    [0.543136302594881, -1.4263241994487366, 0.1596265391818242],
    [0.9418949852845135, -1.9212880667120715, 0.4481600026468892],
    [0.7161610304751246, -1.5890946415063554, 0.2754024363230426],
];

/// Where 25 steps lead; after the steps in `stops` another optimizer goes on with the saved state.
fn walk(make: Make, dtype: DType, stops: &[usize]) -> Vec<f64> {
    let start = Tensor::from([1.0, -2.0, 0.5]).to_dtype(dtype).unwrap();
    let w = Parameter::new(start).unwrap();
    let mut optimizer = make(vec![w.clone()]);
    for t in 0..STEPS {
        if stops.contains(&t) {
            let state = optimizer.state_dict();
            optimizer = make(vec![w.clone()]);
            optimizer.load_state_dict(&state).unwrap();
        }
        let at = w.to_vec::<f64>().unwrap().into_iter().zip(1..);
        let grad: Vec<f64> = at.map(|(x, i)| ((t * i) as f64).sin() + x).collect();
        let grad = Tensor::from_vec(grad, [3])
            .unwrap()
            .to_dtype(dtype)
            .unwrap();
        w.set_grad(Some(grad)).unwrap();
        optimizer.step().unwrap();
    }
    w.to_vec().unwrap()
}

#[test]
fn many_steps_lead_where_pytorchs_do() {
    for ((name, make), theirs) in OPTIMIZERS.into_iter().zip(PYTORCH) {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
            let ours = walk(make, dtype, &[]);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < tolerance;
            assert!(
                ours.iter().zip(&theirs).all(near),
                "{name} in {dtype}: {ours:?} instead of {theirs:?}"
            );
        }
    }
}

/// An average or a count of steps that is not saved would begin anew.
#[test]
fn a_saved_state_goes_on_with_the_same_bits() {
    for (name, make) in OPTIMIZERS {
        let whole = walk(make, DType::F32, &[]);
        assert_eq!(walk(make, DType::F32, &[1, 2, 13]), whole, "{name}");
    }
}

/// The variance of equal gradients is 0, but rounding takes it below: its root would be NaN.
#[test]
fn centered_rmsprop_survives_equal_gradients() {
    let w = Parameter::new(Tensor::from([0.1, 0.3, 7.7])).unwrap();
    let mut rmsprop = Rmsprop::new(vec![w.clone()], 1e-12)
        .centered(true)
        .alpha(0.1);
    for _ in 0..100 {
        w.set_grad(Some(Tensor::from([0.1, 0.3, 7.7]))).unwrap();
        rmsprop.step().unwrap();
    }
    let end = w.to_vec::<f32>().unwrap();
    assert!(end.iter().all(|x| x.is_finite()), "{end:?}");
}

#[test]
fn settings_out_of_range_are_refused_at_the_step() {
    let w = Parameter::new(Tensor::from(1.0)).unwrap();
    w.set_grad(Some(Tensor::ones(()))).unwrap();
    let p = || vec![w.clone()];
    let wrong: [(Box<dyn Optimizer>, &str); 6] = [
        (Box::new(Rmsprop::new(p(), 0.1).alpha(-0.1)), "alpha"),
        (Box::new(Rmsprop::new(p(), 0.1).momentum(-0.1)), "momentum"),
        (Box::new(Rmsprop::new(p(), f64::NAN)), "learning rate"),
        (Box::new(Adagrad::new(p(), 0.1).lr_decay(-1.0)), "lr_decay"),
        (Box::new(Adadelta::new(p(), 0.1).rho(1.1)), "rho"),
        (
            Box::new(Adadelta::new(p(), 0.1).weight_decay(f64::NAN)),
            "weight_decay",
        ),
    ];
    for (mut optimizer, what) in wrong {
        let error = optimizer.step().unwrap_err().to_string();
        assert!(error.contains(&format!("Invalid {what}")), "{error}");
    }
    assert_eq!(w.item::<f32>().unwrap(), 1.0);
}

fn with_grads(grads: &[&[f32]]) -> Vec<Parameter> {
    let parameter = |grad: &&[f32]| {
        let p = Parameter::new(Tensor::zeros([grad.len()])).unwrap();
        let grad = Tensor::from_vec(*grad, [grad.len()]).unwrap();
        p.set_grad(Some(grad)).unwrap();
        p
    };
    grads.iter().map(parameter).collect()
}

fn grads(parameters: &[Parameter]) -> Vec<f64> {
    let grads = parameters.iter().filter_map(|p| p.grad());
    grads.flat_map(|g| g.to_vec::<f64>().unwrap()).collect()
}

/// The norm is that of all parameters together, and a small one is left alone. PyTorch 2.15:
/// `clip_grad_norm_([a, b, no], 2.5)` and `clip_grad_value_` of gradients [1, −2] and [4, 0, 2].
#[test]
fn gradients_are_clipped_as_pytorchs() {
    let mut parameters = with_grads(&[&[1.0, -2.0], &[4.0, 0.0, 2.0]]);
    parameters.push(Parameter::new(Tensor::ones([2])).unwrap());
    let clip = |max_norm| nn::clip_grad_norm_(&parameters, max_norm).unwrap();
    assert!((clip(5.1) - 5.0).abs() < 1e-6);
    assert_eq!(grads(&parameters), [1.0, -2.0, 4.0, 0.0, 2.0]);
    assert!((clip(2.5) - 5.0).abs() < 1e-6);
    for (ours, theirs) in grads(&parameters).iter().zip([0.5, -1.0, 2.0, 0.0, 1.0]) {
        assert!((ours - theirs).abs() < 1e-6, "{ours}, not {theirs}");
    }
    let parameters = with_grads(&[&[1.0, -2.0], &[4.0, 0.0, 2.0]]);
    nn::clip_grad_value_(&parameters, 1.5).unwrap();
    assert_eq!(grads(&parameters), [1.0, -1.5, 1.5, 0.0, 1.5]);
    assert_eq!(nn::clip_grad_norm_(&[], 1.0).unwrap(), 0.0);
}

/// A factor of 0 or NaN would hide that training has gone wrong.
#[test]
fn a_norm_that_is_no_number_is_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let parameters = with_grads(&[&[1.0], &[bad]]);
        assert!(nn::clip_grad_norm_(&parameters, 1.0).is_err());
        assert_eq!(grads(&parameters[..1]), [1.0]);
    }
    let parameters = with_grads(&[&[1.0]]);
    for bound in [0.0, -1.0, f64::NAN] {
        assert!(nn::clip_grad_norm_(&parameters, bound).is_err());
        assert!(nn::clip_grad_value_(&parameters, bound).is_err());
    }
}

/// PyTorch 2.15: `AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))` over weights 1, 2, 4, 8:
/// 1, 1.1, 1.39, 2.051. Another average goes on from its state after two of them.
#[test]
fn an_average_is_pytorchs_and_goes_on_from_its_state() {
    let net = nn::BatchNorm1d::new(1).unwrap();
    let set = |x: f64| {
        let all = Tensor::full([1], x, DType::F32).unwrap();
        no_grad(|| {
            let state = net.state_dict();
            let float = state.values().filter(|t| t.dtype() == DType::F32);
            float.into_iter().try_for_each(|t| t.copy_(&all))
        })
        .unwrap();
    };
    let mut ema = Ema::new(&net, 0.9).unwrap();
    for (i, (x, theirs)) in [(1.0, 1.0), (2.0, 1.1), (4.0, 1.39), (8.0, 2.051)]
        .into_iter()
        .enumerate()
    {
        if i == 2 {
            let state = ema.state_dict();
            ema = Ema::new(&net, 0.9).unwrap();
            ema.load_state_dict(&state).unwrap();
            // What it took is its own: the state does not follow.
            assert!(!state["module.weight"].shares_memory(&ema.averages()["weight"]));
        }
        set(x);
        ema.update(&net).unwrap();
        let item = |name: &str| ema.averages()[name].to_vec::<f64>().unwrap()[0];
        assert!((item("weight") - theirs).abs() < 1e-6, "{}", item("weight"));
        // Running means are no weights: their last values belong to the model.
        assert_eq!(item("running_mean"), x);
    }
    let other = nn::BatchNorm1d::new(2).unwrap();
    let foreign = Ema::new(&other, 0.9).unwrap().state_dict();
    assert!(ema.update(&other).is_err() && ema.load_state_dict(&foreign).is_err());
    assert!(Ema::new(&net, 1.1).is_err());
}
