/** Stands for vtk.js' reader of XML meshes in the bundle: it brings an XML library and a DOM, and no mesh is drawn here. */
function newInstance(): never {
  throw new Error("The viewer draws slices; XML meshes are left out of its bundle.");
}

export default { newInstance };
