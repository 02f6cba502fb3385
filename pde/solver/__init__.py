"""The parts of :func:`randwalk.pde.solve` and :func:`randwalk.pde.backward`: meshes, chains of cells, schemes, refinement."""
