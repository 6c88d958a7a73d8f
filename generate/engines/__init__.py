"""The engines, one folder or file each; :data:`vidigree.generate.engine_registry` lists them."""
