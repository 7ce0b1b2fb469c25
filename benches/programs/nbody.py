"""Planets around a sun: float arithmetic on lists."""

from bench import run


def system():
    return [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743],
        [4.84143144246472, -1.16032004402743, -0.103622044471123, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949],
        [8.34336671824458, 4.1247985641243, -0.403523417114321, -1.01077434617879, 1.82566237123041, 0.00841576137658415, 0.0112863261319688],
        [12.8943695621391, -15.1111514016986, -0.223307578892656, 1.08279100644154, 0.868713018169608, -0.0108326374013636, 0.00172372405705971],
        [15.3796971148509, -25.919314609988, 0.179258772950371, 0.979090732243898, 0.594698998647676, -0.034755955504078, 0.00203368686992463],
    ]


def advance(bodies, dt, steps):
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    for _ in range(steps):
        for a, b in pairs:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            magnitude = dt / (dx * dx + dy * dy + dz * dz) ** 1.5
            ma, mb = a[6] * magnitude, b[6] * magnitude
            a[3] -= dx * mb
            a[4] -= dy * mb
            a[5] -= dz * mb
            b[3] += dx * ma
            b[4] += dy * ma
            b[5] += dz * ma
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


def energy(bodies):
    total = 0.0
    for i, (x, y, z, vx, vy, vz, mass) in enumerate(bodies):
        total += 0.5 * mass * (vx * vx + vy * vy + vz * vz)
        for other in bodies[i + 1 :]:
            dx, dy, dz = x - other[0], y - other[1], z - other[2]
            total -= mass * other[6] / (dx * dx + dy * dy + dz * dz) ** 0.5
    return total


def main(steps):
    bodies = system()
    advance(bodies, 0.01, steps)
    return round(energy(bodies), 9)


run(main, 5000)
