"""The machines that train, behind one seam."""
