"""What was measured: route names, statistics and the results log. Pure: no sockets, no clock."""
