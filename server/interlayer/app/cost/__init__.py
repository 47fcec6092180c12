"""Monthly bills: sourced prices, deployment postures, model costs, and a Terraform plan read as a bill."""
