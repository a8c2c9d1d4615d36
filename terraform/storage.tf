# Mattermost's files, reached by the role of the app instances: there are no access keys.

resource "aws_s3_bucket" "files" {
  count = local.with_servers ? 1 : 0

  bucket_prefix = "${local.prefix}-files-"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "files" {
  count = local.with_servers ? 1 : 0

  bucket                  = aws_s3_bucket.files[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  count = local.with_servers ? 1 : 0

  bucket = aws_s3_bucket.files[0].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_iam_role" "app" {
  count = local.with_servers ? 1 : 0

  name_prefix = "${local.prefix}-app-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "files" {
  count = local.with_servers ? 1 : 0

  name_prefix = "files-"
  role        = aws_iam_role.app[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = aws_s3_bucket.files[0].arn
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = "${aws_s3_bucket.files[0].arn}/*"
      },
    ]
  })
}

resource "aws_iam_instance_profile" "app" {
  count = local.with_servers ? 1 : 0

  name_prefix = "${local.prefix}-app-"
  role        = aws_iam_role.app[0].name
}
