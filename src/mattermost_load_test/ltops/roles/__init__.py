"""What is installed on an app, proxy, metrics or loadtest host, as files to be written; templates lie beside."""
