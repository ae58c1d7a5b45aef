//! Learning curves as an SVG: hit ratio by experiments asked for, beside random and the replicate ceiling.

use crate::replay::Report;
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 20.0;

/// Thin lines are seeds, the thick one their mean.
pub fn learning_curves(report: &Report, title: &str) -> String {
    let curves = report.curves();
    let rounds = report.rounds.max(1);
    let mean: Vec<f64> = (0..=rounds)
        .map(|round| {
            let at: Vec<f64> = curves.iter().filter_map(|curve| curve.get(round).copied()).collect();
            crate::metrics::mean(at).unwrap_or(0.0)
        })
        .collect();
    let random: Vec<f64> =
        (0..=rounds).map(|r| report.random_expectation * r as f64 / rounds as f64).collect();
    let reached = curves.iter().flatten().chain(&mean).chain(&random).copied();
    let top = reached.chain(report.replicate_ceiling).fold(1e-3, f64::max) * 1.1;
    let mut svg = frame(report, title, top);
    for curve in &curves {
        line(&mut svg, curve, top, "#4477aa", 1.0, 0.4);
    }
    line(&mut svg, &mean, top, "#4477aa", 3.0, 1.0);
    line(&mut svg, &random, top, "#888888", 2.0, 1.0);
    label(&mut svg, "random", *random.last().unwrap_or(&0.0), top, "#666666");
    label(&mut svg, "learner", *mean.last().unwrap_or(&0.0), top, "#4477aa");
    if let Some(ceiling) = report.replicate_ceiling {
        line(&mut svg, &vec![ceiling; rounds + 1], top, "#cc6677", 2.0, 1.0);
        label(&mut svg, "a replicate of the screen", ceiling, top, "#cc6677");
    }
    svg.push_str("</svg>\n");
    svg
}

fn y(ratio: f64, top: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * ratio / top
}

fn x(part: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * part
}

fn frame(report: &Report, title: &str, top: f64) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>"
    );
    for step in 0..=4 {
        let ratio = top * f64::from(step) / 4.0;
        let (at, right) = (y(ratio, top), WIDTH - RIGHT);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{ratio:.3}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for round in 0..=report.rounds {
        let at = x(round as f64 / report.rounds.max(1) as f64);
        let asked = round * report.batch;
        let below = HEIGHT - BOTTOM + 18.0;
        let _ = write!(svg, "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{asked}</text>");
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">experiments asked for (hits found / all hits)</text>",
        x(0.5),
        HEIGHT - 10.0
    );
    svg
}

fn line(svg: &mut String, curve: &[f64], top: f64, colour: &str, width: f64, opacity: f64) {
    let last = curve.len().saturating_sub(1).max(1) as f64;
    let place = |(at, ratio): (usize, &f64)| format!("{:.1},{:.1}", x(at as f64 / last), y(*ratio, top));
    let points: Vec<String> = curve.iter().enumerate().map(place).collect();
    let _ = write!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
         stroke-opacity=\"{opacity}\"/>",
        points.join(" ")
    );
}

fn label(svg: &mut String, words: &str, ratio: f64, top: f64, colour: &str) {
    let (at, height) = (WIDTH - RIGHT - 4.0, y(ratio, top) - 6.0);
    let _ = write!(
        svg,
        "<text x=\"{at}\" y=\"{height:.1}\" text-anchor=\"end\" fill=\"{colour}\">{words}</text>"
    );
}
