// SPDX-License-Identifier: Apache-2.0
// A file that is only appended to, inside somebody else's process: no descriptor the program could mistake for its own,
// no signal the program did not cause. Externally synchronized.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace kronos {

class AppendFile {
  public:
    AppendFile() = default;
    ~AppendFile() { Close(); }
    AppendFile(const AppendFile&) = delete;
    AppendFile& operator=(const AppendFile&) = delete;

    /// Standard error, which is neither opened nor closed here.
    static void WriteToStandardError(std::string_view text);

    /// Opens for appending, makes the file when it is not there. "" or what is wrong. Only regular files and character
    /// devices: opening a pipe could block for ever. The descriptor is above 2 and closed on exec.
    std::string Open(const std::string& path);
    bool IsOpen() const { return fd_ >= 0; }
    bool IsEmpty() const { return empty_; }
    /// Somebody has deleted the file: what is written to it nobody will ever read.
    bool IsDeleted() const;
    /// The path still leads to this file: nobody has moved it, or put another in its place.
    bool IsAt(const std::string& path) const;

    /// What follows the file's last newline, 64 KiB at most: a process that was killed while it wrote has left half a
    /// line. "" where lines are whole, where somebody is writing, or where nothing can be read.
    std::string TornEnd() const;
    /// Cuts a torn end off that begins as `begin` does, so that the caller knows it for its own, if no other process
    /// has this file open for WriteFirst, as far as the file system has locks to tell.
    void CutTornEnd(std::string_view begin);

    /// Writes `text` if there is nothing in the file yet; of several processes that have just made it, one does. "" or
    /// what is wrong; then the file is closed. From here on other processes can know that this one writes (flock).
    std::string WriteFirst(std::string_view text);
    /// Appends all of `text`. "" or what is wrong; then the file is closed. A program may close descriptors that it did
    /// not open, and the number may be another file by now: then nothing is written and the number is left alone.
    std::string Write(std::string_view text);
    void Close();

  private:
    struct End {
        std::string torn;
        off_t size = 0;  // of the file
    };
    bool StillOurs() const;
    End ReadEnd() const;
    bool Share();

    int fd_ = -1;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    bool empty_ = false;
    bool sharing_ = false;  // after WriteFirst: a shared lock is wanted and not yet had
};

}  // namespace kronos
