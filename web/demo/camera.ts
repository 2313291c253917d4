/** The camera: a stream that lives only while its viewfinder is open. */

const WANTED: MediaStreamConstraints = { video: { facingMode: 'environment', width: { ideal: 1920 }, height: { ideal: 1440 } } };

/** Show the camera in `video`. Throws what getUserMedia throws. */
export async function start(video: HTMLVideoElement): Promise<void> {
  video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED);
  await video.play();
}

/** The frame that stands there now. */
export function frame(video: HTMLVideoElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext('2d')!.drawImage(video, 0, 0);
  return canvas;
}

/** Switch the camera off. */
export function stop(video: HTMLVideoElement): void {
  for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}
