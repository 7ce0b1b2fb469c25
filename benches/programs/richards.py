"""Tasks that pass packets to each other: method calls, attributes, polymorphism."""

from bench import run


class Packet:
    def __init__(self, link, target, kind):
        self.link, self.target, self.kind = link, target, kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, number, priority, queue, scheduler):
        self.number, self.priority, self.queue, self.scheduler = number, priority, queue, scheduler
        self.held = False
        self.waiting = queue is None
        scheduler.tasks[number] = self
        scheduler.order.append(self)

    def add(self, packet):
        self.queue = packet.append_to(self.queue)
        self.waiting = False

    def take(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.link
            packet.link = None
        return packet

    def step(self):
        packet = self.take()
        self.waiting = self.queue is None and self.pause(packet)

    def pause(self, packet):
        return self.run(packet)


class Idle(Task):
    def __init__(self, number, priority, scheduler, count):
        super().__init__(number, priority, None, scheduler)
        self.waiting = False
        self.seed, self.count = 1, count

    def run(self, packet):
        self.count -= 1
        if self.count <= 0:
            self.held = True
            return False
        if self.seed & 1:
            self.seed = (self.seed >> 1) ^ 0xD008
            self.scheduler.release(5)
        else:
            self.seed >>= 1
            self.scheduler.release(4)
        return False


class Worker(Task):
    def __init__(self, number, priority, queue, scheduler):
        super().__init__(number, priority, queue, scheduler)
        self.target, self.letter = 2, 0

    def run(self, packet):
        if packet is None:
            return True
        self.target = 5 - self.target
        packet.target = self.target
        for i in range(4):
            self.letter = self.letter % 26 + 1
            packet.data[i] = 64 + self.letter
        self.scheduler.send(packet)
        return self.queue is None


class Handler(Task):
    def __init__(self, number, priority, queue, scheduler):
        super().__init__(number, priority, queue, scheduler)
        self.work = self.devices = None

    def run(self, packet):
        if packet is not None:
            if packet.kind == "work":
                self.work = packet.append_to(self.work)
            else:
                self.devices = packet.append_to(self.devices)
        if self.work is not None:
            work = self.work
            if work.datum >= 4:
                self.work = work.link
                work.datum = 0
                work.target = 1
                self.scheduler.send(work)
                return False
            if self.devices is not None:
                device, self.devices = self.devices, self.devices.link
                device.datum = work.data[work.datum]
                work.datum += 1
                device.target = self.number + 2
                self.scheduler.send(device)
                return False
        return self.queue is None


class Device(Task):
    def __init__(self, number, priority, scheduler):
        super().__init__(number, priority, None, scheduler)
        self.pending = None

    def run(self, packet):
        if packet is None:
            if self.pending is None:
                return True
            done, self.pending = self.pending, None
            done.target = self.number - 2
            self.scheduler.send(done)
            return False
        self.pending = packet
        self.held = True
        return False


class Scheduler:
    def __init__(self, count):
        self.tasks = {}
        self.order = []
        self.sent = self.released = 0
        Idle(0, 0, self, count)
        Worker(1, 1000, Packet(Packet(None, 1, "work"), 1, "work"), self)
        for number in (2, 3):
            queue = None
            for _ in range(3):
                queue = Packet(queue, number, "device")
            Handler(number, number * 1000, queue, self)
        Device(4, 4000, self)
        Device(5, 5000, self)
        self.order.sort(key=lambda task: -task.priority)

    def send(self, packet):
        self.sent += 1
        self.tasks[packet.target].add(packet)

    def release(self, number):
        self.released += 1
        self.tasks[number].held = False

    def run(self):
        while True:
            for task in self.order:
                if not task.held and not (task.waiting and task.queue is None and not isinstance(task, Device)):
                    if isinstance(task, Device) and task.queue is None and task.pending is None:
                        continue
                    task.step()
                    break
            else:
                return self.sent, self.released


def main(count):
    return Scheduler(count).run()


run(main, 4000)
