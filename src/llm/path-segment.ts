/** @param segment of a path as on the wire; what is no valid percent-encoding stays as it is */
export function decodedSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
