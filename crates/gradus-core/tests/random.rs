//! The default stream: the same bits for any number of threads, and the distributions that the
//! names promise. Seeds are fixed, so nothing here can fail by chance.

use gradus_core::random::{self, Compat, Generator, with_generator};
use gradus_core::{DType, Result, Tensor, set_num_threads};

type Draw = fn(usize) -> Result<Tensor>;

fn zeros(n: usize, dtype: DType) -> Result<Tensor> {
    Tensor::full(n, 0.0, dtype)
}

/// A tensor that `fill` has filled.
fn filled(x: Tensor, fill: impl FnOnce(&Tensor) -> Result<()>) -> Result<Tensor> {
    fill(&x)?;
    Ok(x)
}

const DRAWS: &[(&str, Draw)] = &[
    ("rand", |n| Tensor::rand(n)),
    ("rand f64", |n| zeros(n, DType::F64)?.rand_like()),
    ("randn", |n| Tensor::randn(n)),
    ("randn f64", |n| zeros(n, DType::F64)?.randn_like()),
    ("randint", |n| Tensor::randint(-5, 1 << 40, n)),
    ("randperm", Tensor::randperm),
    ("bernoulli", |n| zeros(n, DType::Bool)?.bernoulli_like(0.3)),
    ("bernoulli of a tensor", |n| {
        Tensor::full(n, 0.3, DType::F32)?.bernoulli()
    }),
    ("exponential", |n| {
        filled(zeros(n, DType::F32)?, |x| x.exponential_(2.0))
    }),
    ("multinomial", |n| {
        Tensor::from([0.5, 0.0, 2.0]).multinomial(n, true)
    }),
    ("multinomial of all", |n| {
        Tensor::full(n, 0.3, DType::F32)?.multinomial(n, false)
    }),
];

fn bits(x: &Tensor) -> Vec<u64> {
    let values = x.to_vec::<f64>().unwrap();
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn any_number_of_threads_draws_the_same_bits() {
    for (name, draw) in DRAWS {
        for n in [1, 15, 64, 65, 8191, 8193, 100_003] {
            let on = |threads| {
                set_num_threads(threads);
                random::manual_seed(7);
                // The numbers after these must be the same, too.
                (bits(&draw(n).unwrap()), with_generator(Generator::next_u64))
            };
            let one = on(1);
            for threads in [2, 3, 8] {
                assert!(
                    on(threads) == one,
                    "{name} of {n} differs on {threads} threads"
                );
            }
        }
    }
}

/// Several tensors in a row must not repeat each other, and neither may the two halves of a pair.
#[test]
fn draws_are_independent_of_each_other() {
    random::manual_seed(3);
    let n = 1 << 16;
    let [a, b] = [(); 2].map(|()| Tensor::randn(2 * n).unwrap().to_vec::<f64>().unwrap());
    let correlation = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / n as f64
    };
    let limit = 4.0 / (n as f64).sqrt();
    assert!(correlation(&a[..n], &b[..n]).abs() < limit);
    for lag in [1, 4, 16, 32, 48, 64, 1024, 8192, n] {
        let c = correlation(&a[..n], &a[lag..]);
        assert!(c.abs() < limit, "lag {lag}: {c}");
        // Box–Muller pairs share a radius: that must not show either.
        let squares = |x: &[f64]| x.iter().map(|x| x * x - 1.0).collect::<Vec<_>>();
        let c = correlation(&squares(&a[..n]), &squares(&a[lag..]));
        assert!(c.abs() < 2.0 * limit, "squares at lag {lag}: {c}");
    }
}

/// The greatest distance between the distribution of a sample and `cdf` (Kolmogorov and Smirnov),
/// in units of its standard size. Like every limit in this file it is surpassed by chance once in a
/// thousand seeds.
fn distance(sample: &Tensor, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut x = sample.to_vec::<f64>().unwrap();
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let gap = |(i, &x): (usize, &f64)| {
        let c = cdf(x);
        (c - i as f64 / n).abs().max((c - (i + 1) as f64 / n).abs())
    };
    n.sqrt() * x.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// The normal distribution function to 10⁻⁷ (Abramowitz and Stegun, 26.2.17).
fn phi(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let tail = series.into_iter().fold(0.0, |sum, c| sum * t + c) * t * (-x * x / 2.0).exp()
        / (2.0 * std::f64::consts::PI).sqrt();
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn moment(x: &[f64], power: i32) -> f64 {
    x.iter().map(|x| x.powi(power)).sum::<f64>() / x.len() as f64
}

const N: usize = 1 << 18;

#[test]
fn uniform_numbers_are_uniform() {
    random::manual_seed(11);
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::uniform(-1.0, 3.0, N, dtype).unwrap();
        let d = distance(&x, |x| (x + 1.0) / 4.0);
        assert!(d < 1.95, "{dtype}: {d}");
        let x = x.to_vec::<f64>().unwrap();
        assert!(x.iter().all(|x| (-1.0..3.0).contains(x)));
        assert!((moment(&x, 1) - 1.0).abs() < 0.01 && (moment(&x, 2) - 7.0 / 3.0).abs() < 0.02);
    }
    // Rounding must not lead to the end of the range.
    let x = Tensor::uniform(1.0, 1.0 + f64::from(f32::EPSILON), N, DType::F32).unwrap();
    assert_eq!(x.to_vec::<f32>().unwrap(), vec![1.0; N]);
    let x = Tensor::uniform(2.0, 2.0, 3, DType::F64).unwrap();
    assert_eq!(x.to_vec::<f64>().unwrap(), [2.0; 3]);
}

#[test]
fn normal_numbers_are_normal() {
    random::manual_seed(12);
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::normal(1.0, 2.0, N, dtype).unwrap();
        let d = distance(&x, |x| phi((x - 1.0) / 2.0));
        assert!(d < 1.95, "{dtype}: {d}");
        let z: Vec<f64> = x
            .to_vec::<f64>()
            .unwrap()
            .iter()
            .map(|x| (x - 1.0) / 2.0)
            .collect();
        for (power, expected, error) in [
            (1, 0.0, 0.01),
            (2, 1.0, 0.01),
            (3, 0.0, 0.03),
            (4, 3.0, 0.08),
        ] {
            let found = moment(&z, power);
            assert!(
                (found - expected).abs() < error,
                "{dtype}: moment {power} is {found}"
            );
        }
        // Of 2¹⁸ numbers 708 lie beyond three deviations, 17 beyond four.
        for (bound, range) in [(3.0, 620..800), (4.0, 5..35)] {
            let beyond = z.iter().filter(|z| z.abs() > bound).count();
            assert!(range.contains(&beyond), "{dtype}: {beyond} beyond {bound}");
        }
    }
    let x = Tensor::normal(1.5, 0.0, 3, DType::F32).unwrap();
    assert_eq!(x.to_vec::<f32>().unwrap(), [1.5; 3]);
    assert!(
        Tensor::normal(f64::NAN, 1.0, 1, DType::F32)
            .unwrap()
            .item::<f32>()
            .unwrap()
            .is_nan()
    );
}

/// With 24 bits for the radius no number in f32 would be larger than 5.77.
#[test]
fn normal_numbers_in_f32_reach_far_out() {
    random::manual_seed(5);
    let largest = (0..8)
        .flat_map(|_| Tensor::randn(1 << 21).unwrap().to_vec::<f32>().unwrap())
        .fold(0.0, |m: f32, x| m.max(x.abs()));
    assert!((5.0..6.8).contains(&largest), "{largest}");
}

#[test]
fn exponential_numbers_are_exponential() {
    random::manual_seed(13);
    for dtype in [DType::F32, DType::F64] {
        let x = filled(zeros(N, dtype).unwrap(), |x| x.exponential_(2.0)).unwrap();
        let d = distance(&x, |x| 1.0 - (-2.0 * x).exp());
        assert!(d < 1.95, "{dtype}: {d}");
        assert!(
            x.to_vec::<f64>()
                .unwrap()
                .iter()
                .all(|&x| x > 0.0 && x.is_finite())
        );
    }
}

/// The sum of squared deviations from expected counts, each in units of its expectation: about the
/// number of classes minus 1.
fn chi_squared(x: &Tensor, expected: &[f64]) -> f64 {
    let mut counts = vec![0.0; expected.len()];
    for i in x.to_vec::<i64>().unwrap() {
        counts[usize::try_from(i).unwrap()] += 1.0;
    }
    let (n, total): (f64, f64) = (counts.iter().sum(), expected.iter().sum());
    let share = |(c, e): (&f64, &f64)| {
        let e = e / total * n;
        if e == 0.0 {
            c * f64::INFINITY
        } else {
            (c - e).powi(2) / e
        }
    };
    counts
        .iter()
        .zip(expected)
        .filter(|(c, e)| **c + **e > 0.0)
        .map(share)
        .sum()
}

#[test]
fn integers_and_choices_come_as_often_as_they_should() {
    random::manual_seed(14);
    let alike = [1.0; 10];
    let x = Tensor::randint(0, 10, N).unwrap();
    assert!(chi_squared(&x, &alike) < 27.9);
    let x = Tensor::randint(-3, 7, N).unwrap().add(3).unwrap();
    assert!(chi_squared(&x, &alike) < 27.9);
    // A range that is no power of two and so large that its last tenth would be favoured by a
    // product of few bits.
    let x = Tensor::randint(0, i64::MAX / 10 * 9, N).unwrap();
    let tenths: Vec<i64> = x
        .to_vec::<i64>()
        .unwrap()
        .iter()
        .map(|x| x / (i64::MAX / 10 * 9 / 10))
        .collect();
    assert!(chi_squared(&Tensor::from_vec(tenths, N).unwrap(), &alike) < 27.9);
    for p in [0.0, 0.3, 1.0] {
        let x = zeros(N, DType::I64).unwrap().bernoulli_like(p).unwrap();
        assert!(chi_squared(&x, &[1.0 - p, p]) < 10.8, "{p}");
        let x = Tensor::full(N, p, DType::F32).unwrap().bernoulli().unwrap();
        assert!(chi_squared(&x, &[1.0 - p, p]) < 10.8, "{p}");
    }
    let weights = [0.1, 2.0, 0.0, 0.3, 1.4, 0.0];
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::from(weights)
            .to_dtype(dtype)
            .unwrap()
            .multinomial(N, true)
            .unwrap();
        assert!(chi_squared(&x, &weights) < 16.3, "{dtype}");
    }
}

/// Without replacement the first draw is by weight, and so is the second among those left.
#[test]
fn draws_without_replacement_follow_the_weights_that_are_left() {
    let weights = [1.0, 2.0, 0.0, 5.0];
    let rows = 20_000;
    for compat in [None, Some(Compat::Numpy), Some(Compat::Torch)] {
        random::set_generator(
            compat.map_or_else(|| Generator::new(15), |c| Generator::compat(15, c)),
        );
        let x = Tensor::from(weights).broadcast_to([rows, 4]).unwrap();
        let drawn = x.multinomial(2, false).unwrap();
        assert_eq!(drawn.shape(), [rows, 2]);
        let pairs = drawn
            .select(1, 0)
            .unwrap()
            .mul(4)
            .unwrap()
            .add(&drawn.select(1, 1).unwrap())
            .unwrap();
        let mut expected = [0.0; 16];
        for i in 0..4 {
            for j in (0..4).filter(|&j| j != i) {
                expected[4 * i + j] = weights[i] / 8.0 * weights[j] / (8.0 - weights[i]);
            }
        }
        let chi = chi_squared(&pairs, &expected);
        assert!(chi < 20.5, "{compat:?}: {chi}");
        let all = Tensor::from(weights).multinomial(3, false).unwrap();
        let mut all = all.to_vec::<i64>().unwrap();
        all.sort();
        assert_eq!(all, [0, 1, 3]);
    }
}

/// Weights that a rounded sum leaves nothing for, at either end.
#[test]
fn a_weight_of_zero_is_never_drawn() {
    random::manual_seed(16);
    let mut weights = vec![0.1f32; 1000];
    weights[..10].fill(0.0);
    weights[990..].fill(0.0);
    let x = Tensor::from_vec(weights, 1000)
        .unwrap()
        .multinomial(N, true)
        .unwrap();
    assert!(
        x.to_vec::<i64>()
            .unwrap()
            .iter()
            .all(|i| (10..990).contains(i))
    );
}

#[test]
fn empty_tensors_take_any_distribution() {
    assert_eq!(Tensor::randn([0, 3]).unwrap().shape(), [0, 3]);
    assert_eq!(Tensor::randperm(0).unwrap().numel(), 0);
    assert_eq!(Tensor::randint(0, 3, [2, 0]).unwrap().shape(), [2, 0]);
    assert_eq!(Tensor::zeros([0]).bernoulli().unwrap().numel(), 0);
    assert_eq!(
        Tensor::zeros([0, 3]).multinomial(2, true).unwrap().shape(),
        [0, 2]
    );
    assert_eq!(
        Tensor::zeros([0, 0]).multinomial(2, true).unwrap().shape(),
        [0, 2]
    );
    for x in [Tensor::zeros(0), Tensor::zeros([2, 0])] {
        x.uniform_(0.0, 1.0).unwrap();
        x.normal_(0.0, 1.0).unwrap();
        x.bernoulli_(0.5).unwrap();
        x.exponential_(1.0).unwrap();
    }
}

#[test]
fn views_are_filled_and_nothing_beside_them() {
    random::manual_seed(17);
    for compat in [None, Some(Compat::Torch)] {
        random::set_generator(
            compat.map_or_else(|| Generator::new(1), |c| Generator::compat(1, c)),
        );
        let x = Tensor::zeros([4, 5]);
        x.t()
            .unwrap()
            .narrow(0, 1, 3)
            .unwrap()
            .uniform_(1.0, 2.0)
            .unwrap();
        let rows = x.to_vec::<f32>().unwrap();
        for row in rows.chunks(5) {
            assert_eq!((row[0], row[4]), (0.0, 0.0));
            assert!(row[1..4].iter().all(|x| (1.0..2.0).contains(x)), "{row:?}");
        }
    }
}

/// A state that is kept and put back gives the numbers again, also half-way through a pair of
/// normal ones.
#[test]
fn a_state_put_back_replays() {
    for compat in [None, Some(Compat::Numpy), Some(Compat::Torch)] {
        random::set_generator(
            compat.map_or_else(|| Generator::new(4), |c| Generator::compat(4, c)),
        );
        let draw = || {
            let single = with_generator(Generator::normal).to_bits();
            let all = DRAWS.iter().flat_map(|(_, draw)| bits(&draw(100).unwrap()));
            all.chain([single]).collect::<Vec<_>>()
        };
        with_generator(Generator::normal);
        let state = random::get_generator();
        let (first, next) = (draw(), draw());
        assert_ne!(first, next);
        assert_eq!(random::scoped(state.clone(), draw), first);
        random::set_generator(state);
        assert_eq!([draw(), draw()], [first, next], "{compat:?}");
    }
}

/// What was refused must not have used up numbers, or a program that recovers is no longer
/// reproducible.
#[test]
fn an_error_leaves_the_generator_alone() {
    let leaf = Tensor::zeros(3).requires_grad_(true).unwrap();
    let calls: [&dyn Fn() -> bool; 8] = [
        &|| leaf.uniform_(0.0, 1.0).is_err(),
        &|| leaf.normal_(0.0, 1.0).is_err(),
        &|| leaf.bernoulli_(0.5).is_err(),
        &|| leaf.bernoulli_(&Tensor::from([0.5])).is_err(),
        &|| Tensor::from([2.0]).bernoulli().is_err(),
        &|| Tensor::from([0.5]).multinomial(2, false).is_err(),
        &|| Tensor::randint(3, 3, 2).is_err(),
        &|| Tensor::randn([usize::MAX, 2]).is_err(),
    ];
    for call in calls {
        random::manual_seed(1);
        assert!(call());
        assert_eq!(
            with_generator(Generator::next_u64),
            Generator::new(1).next_u64()
        );
    }
}

#[test]
fn single_numbers_have_their_moments() {
    for compat in [None, Some(Compat::Numpy), Some(Compat::Torch)] {
        let mut g = compat.map_or_else(|| Generator::new(7), |c| Generator::compat(7, c));
        let uniform: Vec<f64> = (0..N).map(|_| g.uniform()).collect();
        let normal: Vec<f64> = (0..N).map(|_| g.normal()).collect();
        let d = distance(&Tensor::from_vec(uniform, N).unwrap(), |x| x);
        assert!(d < 1.95, "{compat:?}: {d}");
        let d = distance(&Tensor::from_vec(normal, N).unwrap(), phi);
        assert!(d < 1.95, "{compat:?}: {d}");
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            *orders.entry(g.permutation(3)).or_insert(0) += 1;
        }
        assert!(
            orders.len() == 6 && orders.values().all(|&count| (850..1150).contains(&count)),
            "{compat:?}: {orders:?}"
        );
        assert_eq!([g.below(0), g.below(1)], [0, 0]);
        assert!((0..100).all(|_| g.below(u64::MAX) < u64::MAX));
    }
}
