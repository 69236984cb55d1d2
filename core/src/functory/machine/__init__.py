"""What is on this machine: the user's folders and configuration, the installed distributions, the libraries."""
