"""Amazon Web Services, asked by boto3 before anything is made and after all is removed; between, Terraform acts."""
