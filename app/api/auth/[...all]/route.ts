import { handleAuth } from "../../../../lib/auth/handler";

export {
  handleAuth as DELETE,
  handleAuth as GET,
  handleAuth as OPTIONS,
  handleAuth as PATCH,
  handleAuth as POST,
  handleAuth as PUT,
};
