"""Files of the embedded library for importlib.resources."""

from importlib.resources.abc import Traversable, TraversableResources
import io


class LibraryPath(Traversable):
    """A file or folder of the embedded library."""

    def __init__(self, importer, path):
        self._importer = importer
        self._path = path.rstrip("/")

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    def __str__(self):
        return self._path

    def __repr__(self):
        return f"LibraryPath({self._path!r})"

    def iterdir(self):
        for name in self._importer.list(self._path):
            yield LibraryPath(self._importer, f"{self._path}/{name}")

    def is_dir(self):
        return bool(self._importer.list(self._path))

    def is_file(self):
        try:
            self._importer.get_data(self._path)
        except OSError:
            return False
        return True

    def joinpath(self, *descendants):
        path = "/".join([self._path, *map(str, descendants)])
        return LibraryPath(self._importer, path)

    __truediv__ = joinpath

    def read_bytes(self):
        return self._importer.get_data(self._path)

    def read_text(self, encoding=None, errors=None):
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode="r", *args, **kwargs):
        data = io.BytesIO(self._importer.get_data(self._path))
        if "b" in mode:
            return data
        return io.TextIOWrapper(data, *args, **kwargs)


class LibraryReader(TraversableResources):
    """The resource reader of a package of the embedded library."""

    def __init__(self, importer, folder):
        self._root = LibraryPath(importer, folder)

    def files(self):
        return self._root
