//! DBSCAN beside a textbook's, for every way to find neighbours, order of visits and odd input.

use gradus::cluster::{Dbscan, FittedDbscan, Metric, dbscan::Algorithm, k_distances};
use gradus::random::{Compat, Generator};
use gradus::{DType, Kind, Tensor, set_num_threads};

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Auto,
    Algorithm::Grid,
    Algorithm::KdTree,
    Algorithm::Brute,
];
const METRICS: [Metric; 4] = [
    Metric::Euclidean,
    Metric::Manhattan,
    Metric::Chebyshev,
    Metric::Cosine,
];

/// Whether two points are neighbours, as the documentation defines it.
fn near(metric: Metric, a: &[f64], b: &[f64], eps: f64) -> bool {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    match metric {
        Metric::Euclidean => differences.fold(0.0, |s, d| s + d * d) <= eps * eps,
        Metric::Manhattan => differences.fold(0.0, |s, d| s + d) <= eps,
        Metric::Chebyshev => differences.fold(0.0, f64::max) <= eps,
        Metric::Cosine => {
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt() <= eps
        }
        Metric::Precomputed => unreachable!(),
    }
}

/// The algorithm as it stands in the textbook, walking from point to point in an order.
fn textbook(
    points: &[Vec<f64>],
    near: impl Fn(&[f64], &[f64]) -> bool,
    min_samples: usize,
    order: &[usize],
    noise_is_final: bool,
) -> (Vec<i64>, Vec<i64>) {
    let n = points.len();
    let neighbours =
        |i: usize| -> Vec<usize> { (0..n).filter(|&j| near(&points[i], &points[j])).collect() };
    let (mut labels, mut visited) = (vec![-1; n], vec![false; n]);
    let mut core = Vec::new();
    let mut clusters = 0;
    for &i in order {
        if visited[i] {
            continue;
        }
        visited[i] = true;
        let mut seeds = neighbours(i);
        if seeds.len() < min_samples {
            continue;
        }
        core.push(i as i64);
        labels[i] = clusters;
        while let Some(j) = seeds.pop() {
            let was_noise = visited[j] && labels[j] == -1;
            if labels[j] == -1 && !(was_noise && noise_is_final) {
                labels[j] = clusters;
            }
            if !visited[j] {
                visited[j] = true;
                let found = neighbours(j);
                if found.len() >= min_samples {
                    core.push(j as i64);
                    seeds.extend(found);
                }
            }
        }
        clusters += 1;
    }
    core.sort_unstable();
    (labels, core)
}

fn tensor(points: &[Vec<f64>]) -> Tensor {
    Tensor::from_vec(points.concat(), [points.len(), points[0].len()]).unwrap()
}

fn labels(fit: &FittedDbscan) -> Vec<i64> {
    fit.labels.to_vec().unwrap()
}

fn core(fit: &FittedDbscan) -> Vec<i64> {
    fit.core_sample_indices.to_vec().unwrap()
}

/// Heaps of points, lone ones, and some twice.
fn heaps(seed: u64, n: usize, dims: usize) -> Vec<Vec<f64>> {
    let mut g = Generator::new(seed);
    let centres: Vec<Vec<f64>> = (0..4)
        .map(|_| (0..dims).map(|_| 6.0 * g.uniform() - 3.0).collect())
        .collect();
    let mut points: Vec<Vec<f64>> = Vec::new();
    for i in 0..n {
        let point = match i % 10 {
            0 => (0..dims).map(|_| 10.0 * g.uniform() - 5.0).collect(),
            1 if i > 10 => points[i / 2].clone(),
            _ => centres[i % 4]
                .iter()
                .map(|c| c + 0.5 * g.normal())
                .collect(),
        };
        points.push(point);
    }
    points
}

/// What would be wrong: neighbours left out by cells or boxes, or counted twice; sets not united;
/// border points given to a later cluster.
#[test]
fn every_index_and_metric_finds_what_the_textbook_finds() {
    let mut found = 0;
    for dims in 1..=8 {
        let points = heaps(dims as u64, 230, dims);
        let x = tensor(&points);
        let order: Vec<usize> = (0..points.len()).collect();
        for metric in METRICS {
            for (eps, min_samples) in [(0.3, 3), (0.7, 5), (1.5, 8), (2.5, 40), (0.02, 1)] {
                let eps = if metric == Metric::Cosine {
                    eps / 20.0
                } else {
                    eps
                };
                let near = |a: &[f64], b: &[f64]| near(metric, a, b, eps);
                let expected = textbook(&points, near, min_samples, &order, false);
                found += expected.0.iter().max().unwrap() + 1;
                for algorithm in ALGORITHMS {
                    if algorithm == Algorithm::Grid && dims > 3 {
                        continue;
                    }
                    let dbscan = Dbscan::new(eps, min_samples)
                        .metric(metric)
                        .algorithm(algorithm);
                    let fit = dbscan.fit(&x).unwrap();
                    let case = format!(
                        "{dims} columns, {metric:?}, eps {eps}, {min_samples}, {algorithm}"
                    );
                    assert_eq!(core(&fit), expected.1, "{case}");
                    assert_eq!(labels(&fit), expected.0, "{case}");
                    let noise = expected.0.iter().filter(|&&l| l < 0).count();
                    assert_eq!(fit.n_noise, noise, "{case}");
                    assert_eq!(fit.n_clusters as i64, expected.0.iter().max().unwrap() + 1);
                }
            }
        }
    }
    assert!(found > 500, "the cases have few clusters: {found}");
}

/// Distances of exactly eps, which are within: a lattice, in both dtypes, and points on a line.
#[test]
fn ties_are_within() {
    let lattice: Vec<Vec<f64>> = (0..144)
        .map(|i| vec![f64::from(i % 12), f64::from(i / 12)])
        .collect();
    let line: Vec<Vec<f64>> = (0..100)
        .map(|i| vec![0.5 * f64::from(i), 2.0, 0.25 * f64::from(i)])
        .collect();
    for points in [lattice, line] {
        let order: Vec<usize> = (0..points.len()).collect();
        for metric in [Metric::Euclidean, Metric::Manhattan, Metric::Chebyshev] {
            for (eps, min_samples) in [
                (1.0, 4),
                (1.0, 5),
                (2.0, 13),
                (0.999, 2),
                (0.75, 3),
                (5.0, 60),
            ] {
                let near = |a: &[f64], b: &[f64]| near(metric, a, b, eps);
                let expected = textbook(&points, near, min_samples, &order, false);
                for algorithm in ALGORITHMS {
                    for dtype in [DType::F32, DType::F64] {
                        let x = tensor(&points).to_dtype(dtype).unwrap();
                        let dbscan = Dbscan::new(eps, min_samples)
                            .metric(metric)
                            .algorithm(algorithm);
                        let fit = dbscan.fit(&x).unwrap();
                        let case =
                            format!("{metric:?}, {eps}, {min_samples}, {algorithm}, {dtype}");
                        assert_eq!((labels(&fit), core(&fit)), expected, "{case}");
                    }
                }
            }
        }
    }
}

/// f32 data are decided in f32: all indexes round alike.
#[test]
fn indexes_agree_in_f32_and_for_any_number_of_threads() {
    for dims in [1, 2, 3, 5] {
        let x = tensor(&heaps(7, 6000, dims)).to_dtype(DType::F32).unwrap();
        let mut all = Vec::new();
        for algorithm in ALGORITHMS {
            if algorithm == Algorithm::Grid && dims > 3 {
                continue;
            }
            for threads in [1, 2, 3] {
                set_num_threads(threads);
                let fit = Dbscan::new(0.12, 6).algorithm(algorithm).fit(&x).unwrap();
                all.push((labels(&fit), core(&fit)));
            }
        }
        set_num_threads(2);
        assert!(all.iter().all(|found| *found == all[0]), "{dims} columns");
    }
}

/// The order of visits: as the textbook says, and what it may change (acceptance A2).
#[test]
fn the_order_changes_numbers_and_border_points_only() {
    let points = heaps(3, 300, 2);
    let x = tensor(&points);
    let near = |a: &[f64], b: &[f64]| near(Metric::Euclidean, a, b, 0.4);
    let plain = Dbscan::new(0.4, 6).fit(&x).unwrap();
    let noise = |labels: &[i64]| -> Vec<usize> { (0..300).filter(|&i| labels[i] < 0).collect() };
    for seed in 0..40 {
        let order = Generator::compat(seed, Compat::Numpy).permutation(300);
        let dbscan = Dbscan::new(0.4, 6).random_state(seed);
        let fit = dbscan.fit(&x).unwrap();
        assert_eq!(
            (labels(&fit), core(&fit)),
            textbook(&points, near, 6, &order, false),
            "seed {seed}"
        );
        assert_eq!(core(&fit), core(&plain));
        assert_eq!(noise(&labels(&fit)), noise(&labels(&plain)));
        // Clusters under the names of the plain ones, by core points.
        let (mine, theirs) = (labels(&fit), labels(&plain));
        let mut names = vec![-1; fit.n_clusters];
        for &i in &core(&fit) {
            let name = &mut names[mine[i as usize] as usize];
            assert!(
                *name == -1 || *name == theirs[i as usize],
                "a cluster was split"
            );
            *name = theirs[i as usize];
        }
        let renamed = |i: usize| {
            if mine[i] < 0 {
                -1
            } else {
                names[mine[i] as usize]
            }
        };
        let dense = core(&fit);
        let mut moved = (0..300).filter(|&i| renamed(i) != theirs[i]);
        assert!(moved.all(|i| !dense.contains(&(i as i64))));

        let last = dbscan.noise_is_final(true).fit(&x).unwrap();
        assert_eq!(
            (labels(&last), core(&last)),
            textbook(&points, near, 6, &order, true),
            "seed {seed}"
        );
        let border = 300 - core(&plain).len() - plain.n_noise;
        assert!((plain.n_noise..=plain.n_noise + border).contains(&last.n_noise));
    }
}

#[test]
fn a_border_point_between_two_clusters_goes_to_the_one_begun_first() {
    let line = [0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 6.0, 6.5, 7.0];
    let x = Tensor::from_vec(line, [9, 1]).unwrap();
    let with = |first: usize| {
        let order: Vec<usize> = [first]
            .into_iter()
            .chain((0..9).filter(|&i| i != first))
            .collect();
        labels(&Dbscan::new(1.5, 4).visiting_order(order).fit(&x).unwrap())
    };
    assert_eq!(with(0), [0, 0, 0, 0, 0, 1, 1, 1, 1]);
    assert_eq!(with(6), [1, 1, 1, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn if_noise_is_final_both_ends_are_reached() {
    let points = heaps(11, 400, 2);
    let x = tensor(&points);
    let dbscan = Dbscan::new(0.35, 8);
    let fit = dbscan.fit(&x).unwrap();
    let core: Vec<usize> = core(&fit).iter().map(|&i| i as usize).collect();
    let others: Vec<usize> = (0..400).filter(|i| !core.contains(i)).collect();
    let border = others.len() - fit.n_noise;
    assert!(border > 10 && fit.n_noise > 10);
    let noise = |order: Vec<usize>| {
        dbscan
            .clone()
            .visiting_order(order)
            .noise_is_final(true)
            .fit(&x)
            .unwrap()
            .n_noise
    };
    assert_eq!(noise([&core[..], &others].concat()), fit.n_noise);
    assert_eq!(noise([&others[..], &core].concat()), fit.n_noise + border);
}

#[test]
fn weights_count_as_many_points_would() {
    for dims in [2, 5] {
        let points = heaps(5, 200, dims);
        let mut g = Generator::new(9);
        let weights: Vec<f64> = points.iter().map(|_| g.below(4) as f64 / 2.0).collect();
        let x = tensor(&points);
        let w = Tensor::from_vec(&weights, [200]).unwrap();
        let flipped: Vec<f64> = weights
            .iter()
            .map(|w| if *w == 0.5 { -1.0 } else { *w })
            .collect();
        let negative = Tensor::from_vec(&flipped, [200]).unwrap();
        for (w, values) in [(w, weights), (negative, flipped)] {
            let heavy = |i: usize| {
                let near =
                    (0..200).filter(|&j| near(Metric::Euclidean, &points[i], &points[j], 0.8));
                near.map(|j| values[j]).sum::<f64>() >= 5.0
            };
            let expected: Vec<i64> = (0..200).filter(|&i| heavy(i as usize)).collect();
            assert!(!expected.is_empty());
            for algorithm in ALGORITHMS
                .into_iter()
                .filter(|a| *a != Algorithm::Grid || dims < 4)
            {
                let fit = Dbscan::new(0.8, 5)
                    .algorithm(algorithm)
                    .fit_weighted(&x, &w)
                    .unwrap();
                assert_eq!(core(&fit), expected, "{algorithm}, {dims} columns");
            }
        }
        // Each point twice is the weight 2.
        let twice = Tensor::full([200], 2.0, DType::F64).unwrap();
        let fit = Dbscan::new(0.5, 6).fit_weighted(&x, &twice).unwrap();
        assert_eq!(labels(&fit), labels(&Dbscan::new(0.5, 3).fit(&x).unwrap()));
    }
}

#[test]
fn distances_that_are_given_are_used() {
    let points = heaps(2, 700, 3);
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let matrix: Vec<f64> = points
        .iter()
        .flat_map(|a| points.iter().map(move |b| distance(a, b)))
        .collect();
    let matrix = Tensor::from_vec(&matrix, [700, 700]).unwrap();
    let given = Dbscan::new(0.3, 5)
        .metric(Metric::Precomputed)
        .fit(&matrix)
        .unwrap();
    let computed = Dbscan::new(0.3, 5)
        .metric(Metric::Manhattan)
        .fit(&tensor(&points))
        .unwrap();
    assert!(given.n_clusters > 1);
    assert_eq!(
        (labels(&given), core(&given)),
        (labels(&computed), core(&computed))
    );

    for (wrong, says) in [
        ([[0.0, -1.0], [-1.0, 0.0]], "not below 0"),
        ([[0.0, f64::NAN], [1.0, 0.0]], "not below 0"),
        ([[0.0, 1.0], [2.0, 0.0]], "the same both ways"),
        ([[0.5, 1.0], [1.0, 0.0]], "distance 0 from itself"),
    ] {
        let error = Dbscan::default()
            .metric(Metric::Precomputed)
            .fit(&Tensor::from(wrong))
            .unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = Dbscan::default()
        .metric(Metric::Precomputed)
        .fit(&Tensor::ones([2, 3]))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Shape);
}

/// Cells and leaves of equal points are dealt with as a whole: this ends at once or never.
#[test]
fn a_million_equal_points_and_two_heaps_out_of_reach() {
    for dims in [1, 2, 3, 4] {
        let x = Tensor::ones([1_000_000, dims]);
        let fit = Dbscan::new(0.5, 10).fit(&x).unwrap();
        assert_eq!((fit.n_clusters, fit.n_noise), (1, 0));
        assert_eq!(fit.core_sample_indices.numel(), 1_000_000);
        // Half of them farther away than eps, by so little that their cells are neighbours.
        let far: Vec<f32> = (0..300_000 * dims)
            .map(|i| if i < 150_000 * dims { 0.0 } else { 0.6 })
            .collect();
        let x = Tensor::from_vec(&far, [300_000, dims]).unwrap();
        let eps = 0.59 * (dims as f64).sqrt();
        let fit = Dbscan::new(eps, 10).fit(&x).unwrap();
        assert_eq!((fit.n_clusters, fit.n_noise), (2, 0), "{dims} columns");
        let fit = Dbscan::new(eps, 150_001).fit(&x).unwrap();
        assert_eq!(fit.n_noise, 300_000);
        let fit = Dbscan::new(eps, 150_000).fit(&x).unwrap();
        assert_eq!((fit.n_clusters, fit.n_noise), (2, 0));
        let curve = k_distances(&x, 10, Metric::Euclidean).unwrap();
        assert!(curve.distances().iter().all(|&d| d == 0.0));
    }
}

/// A stop that is not heard for a long time, or what comes of it is wrong: clusters that are parts of
/// the real ones, and no point that is none of theirs.
#[test]
fn a_stop_leaves_parts_of_clusters() {
    use std::ops::ControlFlow;
    let points = heaps(21, 20_000, 5);
    let x = tensor(&points);
    for algorithm in [Algorithm::KdTree, Algorithm::Brute] {
        let dbscan = Dbscan::new(0.3, 6).algorithm(algorithm);
        let mut passes = [false; 3];
        let whole = dbscan.fit_with(&x, None, |progress| {
            passes[progress.pass] = true;
            ControlFlow::Continue(())
        });
        let whole = labels(&whole.unwrap());
        assert_eq!(passes, [true; 3], "{algorithm}");
        for last in [1, 2, 3, 6] {
            let mut tells = 0;
            let part = dbscan.fit_with(&x, None, |progress| {
                assert!(progress.share <= 1.0);
                tells += 1;
                if tells < last {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            let part = part.unwrap();
            let mut of = vec![None; part.n_clusters];
            for (&mine, &theirs) in labels(&part).iter().zip(&whole) {
                if mine >= 0 && part.stopped {
                    let name = of[mine as usize].get_or_insert(theirs);
                    assert!(*name == theirs && theirs >= 0, "{algorithm}");
                }
            }
        }
    }
}

/// Cells beyond any number: the tree is taken, and grids that are insisted on are refused.
#[test]
fn huge_coordinates_and_small_radii_neither_overflow_nor_hang() {
    for far in [1e6, 1e15, 1e30, 1e300, f64::MAX] {
        let points: Vec<Vec<f64>> = [[0.0, 0.0], [1e-3, 0.0], [far, far], [-far, far], [far, far]]
            .iter()
            .map(|p| p.to_vec())
            .collect();
        let x = tensor(&points);
        let fit = Dbscan::new(1e-2, 2).fit(&x).unwrap();
        assert_eq!(labels(&fit), [0, 0, 1, -1, 1], "{far}");
        for algorithm in [Algorithm::KdTree, Algorithm::Brute] {
            let other = Dbscan::new(1e-2, 2).algorithm(algorithm).fit(&x).unwrap();
            assert_eq!(labels(&other), labels(&fit));
        }
        if far > 1e20 {
            let error = Dbscan::new(1e-2, 2)
                .algorithm(Algorithm::Grid)
                .fit(&x)
                .unwrap_err();
            assert!(error.to_string().contains("k-d tree"), "{error}");
        }
    }
    // Where f32 has no digits left between the points.
    let x = Tensor::from_vec([1e8f32, 1e8 + 8.0, 1e8 + 16.0, 0.0], [4, 1]).unwrap();
    assert_eq!(labels(&Dbscan::new(8.0, 2).fit(&x).unwrap()), [0, 0, 0, -1]);
    assert_eq!(labels(&Dbscan::new(7.9, 2).fit(&x).unwrap()), [-1; 4]);
}

#[test]
fn bad_input_gets_one_clear_line() {
    let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    let says = |dbscan: Dbscan, x: &Tensor, text: &str| {
        let error = dbscan.fit(x).unwrap_err().to_string();
        assert!(
            error.contains(text) && error.lines().count() == 1,
            "{error}"
        );
        let error = dbscan.estimate(x).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    for eps in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        says(Dbscan::new(eps, 5), &x, &format!("eps is {eps}"));
    }
    says(Dbscan::new(1e-30, 5), &x, "lost its digits");
    says(Dbscan::new(1e30, 5), &x, "lost its digits");
    says(Dbscan::new(0.5, 0), &x, "min_samples is 0");
    says(
        Dbscan::default(),
        &Tensor::from([[1.0, 2.0], [3.0, f32::NAN]]),
        "row 1, column 1",
    );
    says(
        Dbscan::default(),
        &Tensor::from([[1.0, f32::NEG_INFINITY]]),
        "row 0, column 1",
    );
    says(Dbscan::default(), &Tensor::ones([0, 2]), "[0, 2]");
    says(Dbscan::default(), &Tensor::ones([2, 0]), "[2, 0]");
    says(Dbscan::default(), &Tensor::ones([5]), "a single column");
    says(
        Dbscan::default().metric(Metric::Cosine),
        &Tensor::from([[1.0, 0.0], [0.0, 0.0]]),
        "row 1",
    );
    says(
        Dbscan::default().algorithm(Algorithm::Grid),
        &Tensor::ones([5, 4]),
        "4 columns",
    );

    let orders: [&[usize]; 3] = [&[0], &[0, 0], &[1, 2]];
    for order in orders {
        assert!(Dbscan::default().visiting_order(order).fit(&x).is_err());
    }
    for weights in [
        Tensor::ones([3]),
        Tensor::ones([2, 1]),
        Tensor::from([1.0, f32::NAN]),
    ] {
        assert!(Dbscan::default().fit_weighted(&x, &weights).is_err());
    }
    // One point, and whole numbers.
    assert_eq!(
        labels(&Dbscan::new(1.0, 1).fit(&Tensor::ones([1, 1])).unwrap()),
        [0]
    );
    assert_eq!(
        labels(
            &Dbscan::new(1.0, 2)
                .fit(&Tensor::from([[3], [4], [9]]))
                .unwrap()
        ),
        [0, 0, -1]
    );
}

#[test]
fn distances_to_the_kth_nearest_are_those_of_a_plain_search() {
    for dims in [1, 3, 6] {
        let points = heaps(13, 500, dims);
        for (metric, k) in METRICS.into_iter().flat_map(|m| [(m, 2), (m, 9)]) {
            let distance = |a: &[f64], b: &[f64]| {
                let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
                match metric {
                    Metric::Euclidean => differences.fold(0.0, |s, d| s + d * d).sqrt(),
                    Metric::Manhattan => differences.fold(0.0, |s, d| s + d),
                    Metric::Chebyshev => differences.fold(0.0, f64::max),
                    _ => {
                        let dot =
                            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                        1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
                    }
                }
            };
            let mut expected: Vec<f64> = points
                .iter()
                .map(|a| {
                    let mut all: Vec<f64> = points.iter().map(|b| distance(a, b)).collect();
                    all.sort_by(f64::total_cmp);
                    all[k - 1]
                })
                .collect();
            expected.sort_by(f64::total_cmp);
            let found = k_distances(&tensor(&points), k, metric).unwrap();
            for (found, expected) in found.distances().iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{metric:?}, {dims}, {k}: {found} {expected}"
                );
            }
        }
    }
    assert!(k_distances(&Tensor::ones([4, 2]), 5, Metric::Euclidean).is_err());
    assert!(k_distances(&Tensor::ones([4, 2]), 1, Metric::Euclidean).is_err());
}

/// The radius at the knee keeps the heaps together and most lone points out.
#[test]
fn the_suggested_radius_separates_heaps_from_noise() {
    let mut points = heaps(1, 400, 2);
    points.retain(|p| p[0].abs() < 4.0);
    let x = tensor(&points);
    let curve = k_distances(&x, 5, Metric::Euclidean).unwrap();
    let eps = curve.eps().unwrap();
    assert_eq!(curve.distances()[curve.knee().unwrap()], eps);
    let fit = Dbscan::new(eps, 5).fit(&x).unwrap();
    // The root and its square may differ by a rounding.
    let core = curve.distances().iter().filter(|&&d| d <= eps).count();
    assert!(fit.n_clusters >= 1 && fit.n_noise >= 1);
    assert!(fit.core_sample_indices.numel().abs_diff(core) <= 8);
}
