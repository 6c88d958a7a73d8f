"""Rays, distance fields and contact points of one shape agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from vidigree.generate.engines.render.shapes import Box, Cone, Cylinder, Shape, Sphere

SHAPES = [Sphere(0.4), Box((0.3, 0.2, 0.5)), Cylinder(0.3, 0.4), Cone(0.4, 0.9)]


@pytest.fixture
def rays() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    origin = rng.normal(size=(3, 4000)).astype(np.float32)
    origin *= 2 / np.linalg.norm(origin, axis=0)
    direction = rng.uniform(-0.6, 0.6, (3, 4000)).astype(np.float32) - origin
    return origin, (direction / np.linalg.norm(direction, axis=0)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rays_end_on_the_surface(shape: Shape, rays: tuple[np.ndarray, np.ndarray]) -> None:
    origin, direction = rays
    hit = shape.intersect(origin, direction)
    met = np.isfinite(hit.distance)
    assert 0.1 < met.mean() < 0.95
    points = (origin + hit.distance * direction)[:, met]
    assert np.abs(shape.signed_distance(points)).max() < 2e-3
    facing = np.sum(hit.normal[:, met] * direction[:, met], axis=0)
    assert (facing < 0.25).mean() > 0.99, "normals point outwards, bevels aside"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rays_that_miss_stay_outside(shape: Shape, rays: tuple[np.ndarray, np.ndarray]) -> None:
    origin, direction = rays
    missed = ~np.isfinite(shape.intersect(origin, direction).distance)
    for t in np.linspace(0, 4, 161, dtype=np.float32):
        points = origin[:, missed] + t * direction[:, missed]
        assert shape.signed_distance(points).min() > -6e-3


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_contact_points_lie_on_the_surface(shape: Shape) -> None:
    points = shape.contact_points(np.array([0.3, -0.8, 0.5]))
    gap = shape.signed_distance(points.T.astype(np.float32)) + shape.contact_radius
    assert np.abs(gap).max() < 1e-5


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_inertia_matches_a_sampled_body(shape: Shape) -> None:
    rng = np.random.default_rng(1)
    radius = shape.bounding_radius
    points = rng.uniform(-radius, radius, (3, 400_000)).astype(np.float32)
    inside = points[:, shape.signed_distance(points) < 0].astype(float)
    assert np.abs(inside.mean(axis=1)).max() < 0.01, "centre of mass at the origin"
    squares = np.mean(inside**2, axis=1)
    sampled = squares.sum() - squares
    assert shape.inertia() == pytest.approx(sampled, rel=0.03)
