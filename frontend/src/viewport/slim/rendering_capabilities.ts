/**
 * Stands for Cornerstone's look at what WebGL can do: none is asked for, so that Cornerstone draws with the 2D canvas
 * (docs/decisions/0048-slices-by-the-2d-canvas.md).
 */
const NONE = {
  webgl: false, webgl2: false, maxTextureSize: 0, renderer: "", softwareRasterizer: false,
  norm16: false, norm16Linear: false, float: false, floatLinear: false, halfFloat: false, halfFloatLinear: false,
};

export const getRenderingCapabilities = () => NONE;
export const detectRenderingCapabilities = getRenderingCapabilities;
