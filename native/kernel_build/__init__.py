"""How the package is built: scikit-build-core with a way out for machines that have no C++ compiler."""
