//! Notebooks: nbformat 3 and 4 files run cell by cell, with IPython's magics.
