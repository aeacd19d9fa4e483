/** Those that take circuits, samples, files and what others made, but no numbers of the caller's. */
export const WITHOUT_NUMBERS = `
  CircuitError blockedHmmOptions CountedWeight Evidence RetortError ScoreSum TensorFile Turns applyUpdate assemblePatches checkCircuit checkRule childrenOf
  clusterLogs compileFactors copyInto countedSpreads inPrecision realColumns recentreStatistics decodeCircuit decodeCircuitFile decodeSafetensors decodeTrainingState defaultLeaf describeNode
  describeVariable disassemblePatches distinctRows downward emptyFlows encodeCircuit encodeSafetensors encodeTrainingState
  amountOf isBuiltIn registerDeviceLeaf registerLeafFamily rowFactors certainStates familyNames findLeafFamily isExternal leafStates shapeOf stateProbabilities statesOfValues firstDifferent firstShared formatJpc formatUai inScope isBetter isDeterministic isObserved leafFamily leafOf loadCircuit marksOf
  logLikelihood logSumExp map maxProduct nodeNamed nondeterministicNode observedPatches parameterFaults parameterOf
  parameterOwners parseCsv parseJpc parsePsdd parseUai parseUaiEvidence patchMeans patchRows philox readBatch readCsv readModelText
  recordsOf samplesFromRecords stateWords takeSource
  replaceValues requireSingleRoot rootUnits rowWidth ruleAt safetensorsHeaderLength safetensorsPieces safetensorsPlaces viewSafetensors samplesFromRows
  courseOf isFalling joinParts statesOf mostFalls saveCircuit scheduled scopeVariables scopesOf settingsFor sharedParts sizeOf stack stateFlow structureFaults topDown
  topDownRows unitsInto updateRows upward viterbi weightOf withNotes wordToUnit
  accumulateSoft isSoft mapSoft requireValues sampleSoft softLogProbability softMode softOf softPosterior softWidth
  bytesPerSample chooseEngine KeptGraphs exportOnnx nodesOfFolds parameterBytes planOf
`.trim().split(/\s+/);
