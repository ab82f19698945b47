// placeholder: replaced by the tooling work
