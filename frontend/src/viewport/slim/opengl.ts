/** Stands for all that vtk.js draws with WebGL and WebGPU in the bundle: slices are drawn with the 2D canvas. */
function refuse(): never {
  throw new Error("The viewer draws slices with the 2D canvas; WebGL and WebGPU are left out of its bundle.");
}

export default { newInstance: refuse, extend: refuse };
export const Filter = {};
export const getImageDataHash = refuse;
export const getTransferFunctionsHash = refuse;
