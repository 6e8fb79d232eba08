"""One interface over all that can hold a model: a .mar, a .tar.gz, a folder, here or in a bucket."""
