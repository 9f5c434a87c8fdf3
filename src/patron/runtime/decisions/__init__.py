"""What deciding needs of a running workspace: asks answered, recorded, taught; launches, fallback bundles, store entries."""
