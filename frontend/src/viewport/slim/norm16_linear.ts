import { getRenderingCapabilities } from "@cornerstonejs/core";

/**
 * Stands for vtk.js' own look at whether 16-bit textures can be filtered: Cornerstone has looked at the same when it started, and a
 * further WebGL context with its own shaders holds the first slice up.
 */
export default function supportsNorm16Linear(): boolean {
  return getRenderingCapabilities().norm16Linear;
}
