"""BoTorch beside the learner: an exact Gaussian process on what `loopwright-learner speed` made up.

    beside_botorch.py FOLDER THREADS

FOLDER: features.f32 [candidates, 64], measured.i64 and values.f64 [640]. Reads an order a line, answers
{"seconds": ...} a line:

    fit        SingleTaskGP with its defaults, by fit_gpytorch_mll
    posterior  mean, variance and noise of all candidates in chunks, upper confidence bound, top 384
    cholesky   the same process by hand: one Cholesky factor, one triangular solve, the same bound and top 384
"""

import json
import os
import sys
import time

# Functions of CUDA that nothing here calls are not looked for.
sys.setdlopenflags(os.RTLD_LAZY)

import numpy
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.mlls import ExactMarginalLogLikelihood

BATCH = 384
# The fastest of 250, 500, 1000, 2000 and 4000 on two cores.
CHUNK = 250


class Process:
    def __init__(self, folder):
        read = lambda name, kind: torch.from_numpy(numpy.fromfile(f"{folder}/{name}", dtype=kind))
        self.measured = read("measured.i64", "<i8")
        self.y = read("values.f64", "<f8").unsqueeze(1)
        self.candidates = read("features.f32", "<f4").reshape(-1, 64).double()
        self.x = self.candidates[self.measured]

    def fit(self):
        self.model = SingleTaskGP(self.x, self.y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(self.model.likelihood, self.model))
        self.model.eval()

    def posterior(self):
        means, variances = [], []
        for chunk in self.candidates.split(CHUNK):
            said = self.model.posterior(chunk)
            means.append(said.mean)
            variances.append(said.variance)
        noise = self.model.likelihood.noise.sqrt() * self.model.outcome_transform.stdvs.squeeze()
        return torch.cat(means).squeeze(1), torch.cat(variances).squeeze(1), noise

    def cholesky(self):
        model, transform = self.model, self.model.outcome_transform
        shift, scale = transform.means.squeeze(), transform.stdvs.squeeze()
        mean, noise = model.mean_module.constant, model.likelihood.noise
        root = torch.linalg.cholesky(self.kernel(self.x) + noise * torch.eye(len(self.x), dtype=torch.double))
        alpha = torch.cholesky_solve(((self.y - shift) / scale) - mean, root)
        means, variances = [], []
        for chunk in self.candidates.split(CHUNK):
            cross = self.kernel(chunk)
            solved = torch.linalg.solve_triangular(root, cross.T, upper=False)
            means.append((cross @ alpha).squeeze(1) + mean)
            variances.append((1 - solved.square().sum(0)).clamp_min(1e-12))
        return torch.cat(means) * scale + shift, torch.cat(variances) * scale**2, noise.sqrt() * scale

    def kernel(self, rows):
        length = self.model.covar_module.lengthscale
        return torch.cdist(rows / length, self.x / length).square().mul(-0.5).exp()


def perform(process, order):
    if order == "fit":
        process.fit()
        return
    with torch.no_grad():
        process.model.train()  # what an earlier turn kept is thrown away
        process.model.eval()
        mean, variance, _ = getattr(process, order)()
        (mean + variance.sqrt()).topk(BATCH)


def main():
    folder, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    process = Process(folder)
    for line in sys.stdin:
        start = time.perf_counter()
        perform(process, line.strip())
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
