"""`IPython.display`: objects with rich representations, and showing them."""

import base64

from .pretty import pretty

_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/pdf": "_repr_pdf_",
    "text/latex": "_repr_latex_",
    "application/json": "_repr_json_",
    "application/javascript": "_repr_javascript_",
}


def mimebundle(value, include=None, exclude=None):
    """The representations of a value by type, and their metadata."""
    data = {"text/plain": pretty(value)}
    metadata = {}
    bundle = getattr(type(value), "_repr_mimebundle_", None)
    if bundle is not None:
        extra = value._repr_mimebundle_(include=include, exclude=exclude)
        if isinstance(extra, tuple):
            extra, metadata = extra
        data.update(extra or {})
    for kind, method in _METHODS.items():
        if kind in data or isinstance(value, type) or not hasattr(type(value), method):
            continue
        shown = getattr(value, method)()
        if isinstance(shown, tuple):
            shown, metadata[kind] = shown
        if isinstance(shown, bytes):
            shown = base64.b64encode(shown).decode("ascii")
        if shown is not None:
            data[kind] = shown
    if include:
        data = {kind: shown for kind, shown in data.items() if kind in include}
    if exclude:
        data = {kind: shown for kind, shown in data.items() if kind not in exclude}
    return data, metadata


def _shell():
    from .shell import get_ipython

    return get_ipython()


def display(*values, include=None, exclude=None, metadata=None, transient=None, display_id=None, raw=False, **_):
    """Shows values in the cell's output."""
    for value in values:
        if raw:
            data, extra = dict(value), {}
        else:
            data, extra = mimebundle(value, include, exclude)
        publish_display_data(data, {**extra, **(metadata or {})})
    if display_id is None:
        return None
    return DisplayHandle(display_id if display_id is not True else None)


def publish_display_data(data, metadata=None, source=None, *, transient=None, **_):
    """Shows a value of which the representations are given."""
    shell = _shell()
    shell.show(data.get("text/plain", ""))
    shell.record.add({"output_type": "display_data", "data": dict(data), "metadata": metadata or {}})


def update_display(value, *, display_id, **kwargs):
    """Shows the value: what stands on a terminal cannot be changed."""
    display(value, **kwargs)


def clear_output(wait=False):
    """Forgets what the cell has shown so far."""
    _shell().record.clear(wait)


class DisplayHandle:
    """What `display(..., display_id=True)` gives."""

    def __init__(self, display_id=None):
        self.display_id = display_id or f"{id(self):032x}"

    def display(self, value, **kwargs):
        display(value, **kwargs)

    def update(self, value, **kwargs):
        display(value, **kwargs)


class DisplayObject:
    """Something to show, from data, a file or an address."""

    _read_mode = "r"

    def __init__(self, data=None, url=None, filename=None, metadata=None):
        if data is None and filename is not None:
            with open(filename, self._read_mode, encoding=None if "b" in self._read_mode else "utf-8") as file:
                data = file.read()
        self.data = data
        self.url = url
        self.filename = filename
        self.metadata = metadata or {}

    def __repr__(self):
        return f"<IPython.core.display.{type(self).__name__} object>"


class Pretty(DisplayObject):
    def _repr_pretty_(self, printer, cycle):
        printer.text(self.data)


class HTML(DisplayObject):
    def _repr_html_(self):
        return self.data

    __html__ = _repr_html_


class Markdown(DisplayObject):
    def _repr_markdown_(self):
        return self.data


class Latex(DisplayObject):
    def _repr_latex_(self):
        return self.data


class Math(DisplayObject):
    def _repr_latex_(self):
        return f"$\\displaystyle {self.data.strip('$')}$"


class SVG(DisplayObject):
    def _repr_svg_(self):
        return self.data


class JSON(DisplayObject):
    def _repr_json_(self):
        return self.data


class Javascript(DisplayObject):
    def _repr_javascript_(self):
        return self.data


class Image(DisplayObject):
    _read_mode = "rb"

    def __init__(self, data=None, url=None, filename=None, format=None, **metadata):
        super().__init__(data, url, filename, {key: value for key, value in metadata.items() if value is not None})
        self.format = format or ("jpeg" if isinstance(self.data, bytes) and self.data[:2] == b"\xff\xd8" else "png")

    def _repr_png_(self):
        return self.data if self.format == "png" else None

    def _repr_jpeg_(self):
        return self.data if self.format in ("jpeg", "jpg") else None

    def _repr_html_(self):
        return f'<img src="{self.url}"/>' if self.data is None and self.url else None


class IFrame:
    def __init__(self, src, width, height, **kwargs):
        self.src, self.width, self.height = src, width, height

    def _repr_html_(self):
        return f'<iframe width="{self.width}" height="{self.height}" src="{self.src}"></iframe>'


def _display_as(method):
    def show(*values, raw=False, metadata=None, **_):
        for value in values:
            kind = next(kind for kind, name in _METHODS.items() if name == method)
            shown = value if raw else getattr(value, method)()
            publish_display_data({"text/plain": pretty(value), kind: shown}, metadata)

    return show


display_html = _display_as("_repr_html_")
display_markdown = _display_as("_repr_markdown_")
display_svg = _display_as("_repr_svg_")
display_png = _display_as("_repr_png_")
display_jpeg = _display_as("_repr_jpeg_")
display_latex = _display_as("_repr_latex_")
display_json = _display_as("_repr_json_")
display_javascript = _display_as("_repr_javascript_")


def display_pretty(*values, **_):
    for value in values:
        publish_display_data({"text/plain": pretty(value)})
