"""What a cell shows, kept in the form of nbformat while it is also written to the real streams."""

import io
import json


class Record:
    """The outputs of one cell."""

    def __init__(self):
        self.outputs = []
        self._clear_on_next = False

    def add(self, output):
        if self._clear_on_next:
            self._clear_on_next = False
            self.outputs.clear()
        self.outputs.append(output)

    def stream(self, name, text):
        if not self._clear_on_next and self.outputs:
            last = self.outputs[-1]
            if last["output_type"] == "stream" and last["name"] == name:
                last["text"] += text
                return
        self.add({"output_type": "stream", "name": name, "text": text})

    def clear(self, wait=False):
        if wait:
            self._clear_on_next = True
        else:
            self.outputs.clear()

    def json(self):
        """The outputs as JSON, texts split into lines as notebooks store them."""
        return json.dumps([_stored(output) for output in self.outputs], ensure_ascii=False)


def _stored(output):
    output = dict(output)
    if "text" in output:
        output["text"] = output["text"].splitlines(keepends=True)
    if "data" in output:
        output["data"] = {
            kind: value.splitlines(keepends=True) if isinstance(value, str) and kind != "image/png" else value
            for kind, value in output["data"].items()
        }
    return output


class Stream(io.TextIOBase):
    """A text stream that passes everything on and notes it."""

    def __init__(self, name, target, shell):
        self._name = name
        self._target = target
        self._shell = shell

    @property
    def name(self):
        return f"<{self._name}>"

    @property
    def encoding(self):
        return self._target.encoding

    @property
    def errors(self):
        return self._target.errors

    @property
    def buffer(self):
        return self._target.buffer

    def writable(self):
        return True

    def isatty(self):
        return self._target.isatty()

    def fileno(self):
        return self._target.fileno()

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._shell.record.stream(self._name, text)
            self._target.write(text)
        return len(text)

    def flush(self):
        self._target.flush()
