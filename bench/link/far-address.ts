/** The address of the far host of every emulated link, which the server's certificate names. */
export const farAddress = '10.77.0.2';
