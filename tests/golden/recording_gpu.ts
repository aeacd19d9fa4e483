/** A `GPU` that computes nothing and keeps the source of every kernel that it is to compile. */

/** Names and sources of kernels, in the order in which they were asked for. */
export type Sources = Map<string, string>;

const LIMITS = {
  maxStorageBufferBindingSize: 2 ** 30,
  maxBufferSize: 2 ** 31,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 2 ** 15,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxStorageBuffersPerShaderStage: 10,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** A GPU that records into `sources`. */
export function recordingGpu(sources: Sources): GPU {
  const adapter = {
    info: { description: "recorder", vendor: "", architecture: "", subgroupMinSize: 8, subgroupMaxSize: 8 },
    limits: LIMITS,
    requestDevice: () => Promise.resolve(device(sources)),
  };
  return {
    requestAdapter: (options: GPURequestAdapterOptions = {}) =>
      Promise.resolve(options.forceFallbackAdapter ? null : adapter),
  } as unknown as GPU;
}

function device(sources: Sources): GPUDevice {
  const nothing = () => {};
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: nothing,
    copyBufferToBuffer: nothing,
    finish: () => ({}),
  };
  const buffer = ({ size, label }: GPUBufferDescriptor) => ({
    size,
    label,
    destroy: nothing,
    mapAsync: () => Promise.resolve(),
    getMappedRange: (from = 0, length = size - from) => new ArrayBuffer(length),
    unmap: nothing,
  });
  const lost = Promise.withResolvers<GPUDeviceLostInfo>();
  const made = {
    limits: LIMITS,
    lost: lost.promise,
    queue: {
      writeBuffer: nothing,
      submit: nothing,
      onSubmittedWorkDone: () => Promise.resolve(),
    },
    createBuffer: buffer,
    createShaderModule({ label, code }: GPUShaderModuleDescriptor) {
      if (label) sources.set(label, code);
      return {};
    },
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipelineAsync: () => Promise.resolve({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    addEventListener: nothing,
    removeEventListener: nothing,
    destroy: () => lost.resolve({ reason: "destroyed", message: "" } as GPUDeviceLostInfo),
  };
  return made as unknown as GPUDevice;
}
